"""Where things lie: what ships with the package, and what its users make.

A checkout keeps ``assets/`` and ``sessions/`` beside the package. An installed wheel carries
its assets inside the package, and sessions go to the user's data folder.
"""

import os
import sys
import tempfile
from pathlib import Path

__all__ = ["assets_dir", "builtin_model_dir", "cache_dir", "sessions_dir"]

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def _in_checkout() -> bool:
    return (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "assets").is_dir()


def assets_dir() -> Path:
    """The folder of what ships: the built-in model, sample facts, exams."""
    return _CHECKOUT / "assets" if _in_checkout() else _PACKAGE / "assets"


def builtin_model_dir() -> Path:
    """The folder of the built-in model, a plain Hugging Face model folder."""
    return assets_dir() / "builtin"


def cache_dir() -> Path:
    """The user's folder for what can be made again at any time; not made here."""
    told = os.environ.get("XDG_CACHE_HOME")
    if told:
        base = Path(told)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        base = _home() / ".cache"
    return base / "locft-workbench"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user whom the system does not know, as in a container
        return Path(tempfile.gettempdir())


def sessions_dir() -> Path:
    """The folder of sessions when nobody names one; not made here."""
    if _in_checkout():
        return _CHECKOUT / "sessions"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "locft-workbench" / "sessions"
