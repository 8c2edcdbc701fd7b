"""Where a base comes from, for those who load it elsewhere, and the small files beside its weights.

Knows nothing about weights.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, constants, try_to_load_from_cache

from workbench.model.language_model import LanguageModel
from workbench.model.needs import is_path
from workbench.model.real import REAL, real_model_dir
from workbench.paths import builtin_model_dir

__all__ = ["LICENCES", "TOKENIZER_FILES", "base_file", "base_files", "base_path"]

LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*", "COPYING*")
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.*",
)


def base_path(model: LanguageModel) -> str:
    """What other programs load a base by: its hub id, its folder, or its file."""
    if model.name == "builtin":
        return str(builtin_model_dir())
    return str(real_model_dir()) if model.name == REAL else model.name


def base_files(
    model: LanguageModel, patterns: tuple[str, ...], *, fetch: bool = False
) -> Iterator[Path]:
    """The files beside a base's weights whose names match some patterns, as they are.

    Nothing for a GGUF file, which holds all in itself, and for a model made in memory.

    Args:
        model: the base.
        patterns: of names.
        fetch: whether the hub is asked for files that nobody needed so far.
    """
    place = base_path(model)
    if Path(place).expanduser().is_dir():
        for file in sorted(Path(place).expanduser().iterdir()):
            if file.is_file() and _matches(file.name, patterns):
                yield file
    elif not is_path(place):
        yield from _of_hub(place, patterns, fetch)


def base_file(model: LanguageModel, name: str) -> Path | None:
    """One file beside a base's weights; None when there is none."""
    return next(base_files(model, (name,)), None)


def _of_hub(repository: str, patterns: tuple[str, ...], fetch: bool) -> Iterator[Path]:
    """Files of a repository: those of the cache, and others where they may be fetched."""
    found: set[str] = set()
    for name in _cached(repository):
        if not _matches(name, patterns):
            continue
        path = try_to_load_from_cache(repository, name, cache_dir=constants.HF_HUB_CACHE)
        if isinstance(path, str):
            found.add(name)
            yield Path(path)
    if not fetch or constants.HF_HUB_OFFLINE:
        return
    try:
        api = HfApi()
        for name in api.list_repo_files(repository):
            if "/" not in name and name not in found and _matches(name, patterns):
                yield Path(api.hf_hub_download(repository, name))
    except Exception:  # the hub's library passes on whatever its own libraries raise
        return  # without the network, what is in the cache must do


def _cached(repository: str) -> list[str]:
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    return sorted({file.name for file in folder.glob("*/*") if file.is_file()})


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
