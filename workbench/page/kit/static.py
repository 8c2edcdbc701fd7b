"""The page's scripts, which lie beside this package as files of their own."""

from pathlib import Path

__all__ = ["script"]

FOLDER = Path(__file__).resolve().parent.parent / "static"


def script(name: str) -> str:
    """The text of a script in ``workbench/page/static``."""
    return (FOLDER / name).read_text(encoding="utf-8")
