"""What loading a model will take, before it is loaded: memory, and whether the network is asked.

Reads headers and configs of files that are on this machine, and never the network. Imports no
torch, so that the page can say it. Knows nothing about how a model is loaded.
"""

import json
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError, safe_open

from workbench.errors import ModelError
from workbench.model.choice import ModelChoice
from workbench.model.gguf_header import find_gguf, read_gguf_header
from workbench.model.loading.folder import check_folder, weight_files
from workbench.model.real import MISSING, REAL, is_real_there, packaged_file, real_model_dir
from workbench.paths import builtin_model_dir

__all__ = ["HUB_MODELS", "HubModel", "Need", "cached_folder", "is_path", "need_of", "weights_in"]

Where = Literal["here", "cached", "hub", "nowhere"]
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class HubModel:
    """A small model of the hub that is good to begin with.

    Args:
        name: its hub id.
        parameters: how many weights it has, tied ones counted once.
        download: bytes of its weights' files.
    """

    name: str
    parameters: int
    download: int


HUB_MODELS = (
    HubModel("HuggingFaceTB/SmolLM2-135M-Instruct", 134_515_008, 269_060_552),
    HubModel("HuggingFaceTB/SmolLM2-360M-Instruct", 361_821_120, 723_674_912),
    HubModel("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768, 988_097_824),
    HubModel("Qwen/Qwen3-0.6B", 596_049_920, 1_503_300_328),
    HubModel("Qwen/Qwen2.5-1.5B-Instruct", 1_543_714_304, 3_087_467_144),
    HubModel("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1_711_376_384, 3_422_777_952),
)


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes.

    Args:
        where: on this machine, in the hub's cache on it, on the hub, or nowhere.
        parameters: how many weights it has; None while nobody can know.
        bytes_each: of a weight, in the precision it will have.
        download: bytes that are fetched; None while nobody can know.
        origin: what its weights are made from, such as a GGUF file's type.
        problem: why it cannot be loaded, as far as that can be seen now; else empty.
        by_layers: whether layers that do not fit can be read as they are needed.
    """

    where: Where
    parameters: int | None = None
    bytes_each: int = 4
    download: int | None = 0
    origin: str = ""
    problem: str = ""
    by_layers: bool = True

    @property
    def memory(self) -> int | None:
        """Bytes that its weights take in memory."""
        return None if self.parameters is None else self.parameters * self.bytes_each


def is_path(name: str) -> bool:
    """Whether a name means a file or folder of this machine rather than a model of the hub."""
    told = name.startswith((".", "~", "/")) or "\\" in name or name.lower().endswith(".gguf")
    return told or Path(name).expanduser().exists()


def need_of(choice: ModelChoice, device: str = "cpu") -> Need:
    """What loading this model will take.

    Args:
        choice: the model; its own device comes first.
        device: where it will be when it names none.
    """
    try:
        return _need_of(choice, (choice.device or device).startswith("cuda"))
    except ModelError as error:
        return Need("nowhere", problem=str(error))
    except (OSError, ValueError, KeyError, AttributeError, RecursionError, SafetensorError):
        problem = f"The files of '{choice.name}' cannot be read."
        return Need("nowhere", problem=problem)


def _need_of(choice: ModelChoice, on_cuda: bool) -> Need:
    name = choice.name
    if name == "builtin":
        return _of_folder(builtin_model_dir(), choice, on_cuda)
    if name == REAL and not Path(name).exists():
        return _of_real(choice, on_cuda)
    if is_path(name):
        folder = Path(name).expanduser()
        if not folder.exists():
            raise ModelError(f"There is no model folder or GGUF file '{name}'. Check the path.")
        file = find_gguf(folder)
        return _of_gguf(file, choice, on_cuda) if file else _of_folder(folder, choice, on_cuda)
    cached = cached_folder(name)
    if cached is not None:
        return _of_folder(cached, choice, on_cuda, "cached")
    if constants.HF_HUB_OFFLINE:
        raise ModelError(
            f"'{name}' is not in this machine's cache, and HF_HUB_OFFLINE forbids to fetch it."
        )
    known = next((model for model in HUB_MODELS if model.name.lower() == name.lower()), None)
    if known is None:
        return Need("hub", download=None)
    return Need("hub", known.parameters, _bytes_each(choice, "bfloat16", on_cuda), known.download)


def _of_real(choice: ModelChoice, on_cuda: bool) -> Need:
    if not is_real_there():
        raise ModelError(MISSING)
    file = packaged_file()
    # The folder that is made of the file holds float32, also for a GPU.
    if file is None:
        return _of_folder(real_model_dir(), choice, on_cuda)
    return replace(_of_gguf(file, choice, False), by_layers=True)


def _of_gguf(file: Path, choice: ModelChoice, on_cuda: bool) -> Need:
    header = read_gguf_header(file)
    each = _bytes_each(choice, header.dtype, on_cuda)
    return Need("here", header.parameters, each, origin=header.origin, by_layers=False)


def _of_folder(folder: Path, choice: ModelChoice, on_cuda: bool, where: Where = "here") -> Need:
    check_folder(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    parameters = weights_in(folder, bool(config.get("tie_word_embeddings")))
    if parameters is None:
        weight_files(folder)  # says what the folder holds instead
        raise ModelError(f"The folder '{folder}' holds no *.safetensors file.")
    kept = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return Need(where, parameters, _bytes_each(choice, kept, on_cuda))


def _bytes_each(choice: ModelChoice, kept: str, on_cuda: bool) -> int:
    return BYTES.get(choice.dtype or (kept if on_cuda else "float32"), 4)


def weights_in(folder: Path, tied: bool = False) -> int | None:
    """How many weights a folder's safetensors hold, by their headers; None when there are none.

    Args:
        folder: of a model.
        tied: whether the head is the embedding, so that a head in the files is passed over.

    Raises:
        SafetensorError, OSError: a file is damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return None
    total = 0
    for file in files:
        with safe_open(file, framework="numpy") as opened:
            for name in opened.keys():  # noqa: SIM118
                if not (tied and name == "lm_head.weight"):
                    total += prod(opened.get_slice(name).get_shape())
    return total


def cached_folder(name: str) -> Path | None:
    """The whole snapshot of a hub model in this machine's cache; None when there is none."""
    try:
        found = try_to_load_from_cache(name, "config.json", cache_dir=constants.HF_HUB_CACHE)
    except HFValidationError:
        return None
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder is not None and has_all_weights(folder) else None


def has_all_weights(folder: Path) -> bool:
    """Whether every safetensors file that a folder should have is there."""
    if not (folder / INDEX).is_file():
        return any(folder.glob("*.safetensors"))
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return all((folder / name).is_file() for name in set(index["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError):
        return False
