"""Models to choose from: what is on this machine, a few small ones of the hub, what was used.

Looks into the hub's cache on this machine and never at the network. Imports no torch.
"""

import json
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from huggingface_hub import constants, scan_cache_dir
from huggingface_hub.errors import CacheNotFound, CorruptedCacheException

from workbench.model.needs import HUB_MODELS, has_all_weights, is_path
from workbench.model.real import REAL, is_real_there

__all__ = ["Offers", "cached_models", "offers"]

FRESH = 5.0  # seconds that a look into the cache serves, which may hold very many files
DECODERS = ("CausalLM", "LMHeadModel", "ConditionalGeneration")


@dataclass(frozen=True, slots=True)
class Offers:
    """Names of models, as ``--model`` takes them.

    Args:
        here: those that need no network.
        hub: those that are fetched.
        used: folders and files that were edited before and are still there.
    """

    here: tuple[str, ...]
    hub: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.here, *self.hub, *self.used)


def offers(used: Iterable[str] = ()) -> Offers:
    """What can be chosen now.

    Args:
        used: names of models that were used before, the last first.
    """
    cached = cached_models()
    here = ("builtin", *((REAL,) if is_real_there() else ()), *cached)
    offline = constants.HF_HUB_OFFLINE
    hub = tuple(m.name for m in HUB_MODELS if m.name not in cached) if not offline else ()
    return Offers(here, hub, tuple(dict.fromkeys(name for name in used if _is_there(name))))


def cached_models() -> tuple[str, ...]:
    """Hub ids of the decoders whose files are whole in this machine's cache."""
    return _cached_models(constants.HF_HUB_CACHE, int(time.monotonic() // FRESH))


@lru_cache(maxsize=1)
def _cached_models(cache: str, _: int) -> tuple[str, ...]:
    try:
        with warnings.catch_warnings(action="ignore"):
            found = scan_cache_dir(cache)
    except (CacheNotFound, CorruptedCacheException, OSError, ValueError):
        return ()
    return tuple(
        sorted(
            repo.repo_id
            for repo in found.repos
            if repo.repo_type == "model"
            and any(_is_decoder(revision.snapshot_path) for revision in repo.revisions)
        )
    )


def _is_decoder(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = config.get("architectures") or []
        return any(str(name).endswith(DECODERS) for name in names) and has_all_weights(folder)
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _is_there(name: str) -> bool:
    """Whether a name is a folder or file of this machine; one on another machine is not asked."""
    far = name.startswith(("\\\\", "//"))
    return not far and name != "builtin" and is_path(name) and Path(name).expanduser().exists()
