"""The page's scripts and its stylesheet, as they lie in ``static``.

Knows nothing about what they do.
"""

from functools import cache
from importlib.resources import files

__all__ = ["script", "style"]


def script(name: str) -> str:
    """A script, as text to hand to a component.

    Args:
        name: its file, such as ``act.js``.
    """
    return _read(name)


def style(name: str) -> str:
    """A stylesheet, as text.

    Args:
        name: its file, such as ``workbench.css``.
    """
    return _read(name)


@cache
def _read(name: str) -> str:
    return (files("workbench.page") / "static" / name).read_text(encoding="utf-8")
