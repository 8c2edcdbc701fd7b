"""Where a model comes from: the built-in one, a folder of this machine, or the hub.

Knows what people may write and whether the network is needed; nothing about what files hold.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from workbench.model.gguf_header import GgufHeader, find_gguf, read_gguf_header
from workbench.model.loading.folder import check_folder
from workbench.model.needs import is_path
from workbench.model.real import REAL, made_folder, origin_of, packaged_file, real_model_dir
from workbench.paths import builtin_model_dir
from workbench.work.proxies import settle_proxies

__all__ = ["Source", "find_source"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    Args:
        name: what people call it.
        path: what transformers is given.
        is_local: whether it is a folder of this machine.
        offline: whether the hub cannot be reached, so that only its cache is looked into.
        trust_remote_code: whether code that comes with the model may run.
        gguf: what the GGUF file says that the model is in; None for a folder or a hub id.
        origin: what the weights were made from; empty when they are read as they are kept.
    """

    name: str
    path: str
    is_local: bool
    offline: bool = False
    trust_remote_code: bool = False
    gguf: GgufHeader | None = None
    origin: str = ""

    @property
    def no_network(self) -> bool:
        """Whether the network must not be asked."""
        return self.is_local or self.offline

    def options(self) -> dict[str, Any]:
        """What every ``from_pretrained`` of this source is called with."""
        return {
            "local_files_only": self.no_network,
            "trust_remote_code": self.trust_remote_code,
        }


def find_source(name: str, trust_remote_code: bool, *, config_only: bool = False) -> Source:
    """The source that people mean by a name.

    Args:
        name: ``builtin``, ``smollm2-135m``, a hub id, a folder, or a GGUF file.
        trust_remote_code: whether code that comes with the model may run.
        config_only: whether nothing but its config will be read, so that the hub is not asked for
            one that is in the cache, and no weights are made ready.

    Raises:
        ModelError: a folder that is not there, or is no model; the message says which one is.
    """
    if name == "builtin":
        return Source(name, str(builtin_model_dir()), is_local=True)
    folder = Path(name).expanduser()
    if name == REAL and not folder.exists():
        packaged = packaged_file()
        if config_only and packaged is not None and made_folder() is None:
            return _of_gguf(name, packaged)
        made = real_model_dir()
        return Source(name, str(made), is_local=True, origin=origin_of(made))
    if not is_path(name):
        # Code that comes with a model lies in other files, of which the cache may lack some.
        known = config_only and not trust_remote_code and _has_config(name)
        return Source(name, name, False, known or not _hub_answers(), trust_remote_code)
    file = find_gguf(folder)
    if file is not None:
        return _of_gguf(str(folder), file)
    check_folder(folder)
    return Source(
        str(folder),
        str(folder),
        True,
        trust_remote_code=trust_remote_code,
        origin=origin_of(folder),
    )


def _of_gguf(name: str, file: Path) -> Source:
    header = read_gguf_header(file)
    return Source(name, str(file.parent), True, gguf=header, origin=header.origin)


def _has_config(name: str) -> bool:
    """Whether a hub model's config is in this machine's cache."""
    try:
        found = try_to_load_from_cache(name, "config.json", cache_dir=constants.HF_HUB_CACHE)
    except HFValidationError:
        return False
    return isinstance(found, str)


def _hub_answers() -> bool:
    """Whether the hub can be reached; asked once, because the hub's library retries for long."""
    settle_proxies()
    if constants.HF_HUB_OFFLINE:
        return False
    if getproxies():
        return True
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=5):
            return True
    except OSError:
        return False
