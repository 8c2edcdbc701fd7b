"""The page's scripts and its stylesheet, as they lie in ``static``.

Knows nothing about what they do.
"""

from functools import cache
from importlib.resources import files

__all__ = ["script", "style"]


@cache
def script(name: str) -> str:
    """A script, as text to hand to a component.

    Args:
        name: its file, without the ending.
    """
    return _read(f"{name}.js")


@cache
def style(name: str) -> str:
    """A stylesheet, as text.

    Args:
        name: its file, without the ending.
    """
    return _read(f"{name}.css")


def _read(file: str) -> str:
    return (files("workbench.page") / "static" / file).read_text(encoding="utf-8")
