"""What other programs leave in a text, mended with a word, or reported.

Excel's errors stand for no text; its `_x000D_` and HTML's entities stand for characters; a text
that says that there is nothing, such as NaN, is an empty field where a field may be empty.
`escaped` and `stays` are for writing: what must be written so that it is read back as it is.
"""

import html
import re
from collections.abc import Mapping
from html.entities import html5
from typing import Any

from workbench.facts.problems import shorten
from workbench.facts.wrong import Wrong

__all__ = ["escaped", "is_nothing", "mended", "stays"]

_NOTHING = frozenset({"NaN", "nan", "NaT", "null", "NULL", "None", "<NA>"})
_EXCEL_ERRORS = frozenset(
    {"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
     "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#PYTHON!", "#GETTING_DATA",
     "#EXTERNAL!"}
)  # fmt: skip
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# A line end of Windows is written as `_x000D_` and the line end itself.
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_(\n?)")
_ESCAPE_BEGINS = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def is_nothing(value: Any) -> bool:
    """Whether a value that is no text stands for an empty field: null or NaN."""
    return value is None or (isinstance(value, float) and value != value)


def stays(text: str) -> bool:
    """Whether a text that fills a field is read as it is, and not as an error or as nothing."""
    return text.strip() not in _NOTHING and text.strip() not in _EXCEL_ERRORS


def mended(value: Any, needed: bool) -> tuple[Any, tuple[Wrong, ...]]:
    """A value without what other programs left in its texts.

    Args:
        value: as it was read.
        needed: whether there must be something.

    Returns:
        The value, None where it is an empty field, and a word for each mend.

    Raises:
        Wrong: there is an error of Excel's where there must be a text.
    """
    if isinstance(value, str):
        bare = value.strip()
        if bare in _EXCEL_ERRORS:
            wrong = _excel_error(bare)
            if needed:
                raise wrong
            return None, (wrong,)
        if not needed and bare in _NOTHING:
            return None, ()
        if "&" not in value and "_x" not in value:
            return value, ()
    elif is_nothing(value):
        return None, ()
    found: dict[str, Wrong] = {}
    return _inside(value, found, 0), tuple(found.values())


def _excel_error(error: str) -> Wrong:
    return Wrong(
        f"There is Excel's error {error} instead of a text.",
        "Mend the formula, and save the file again.",
        "spreadsheet error",
    )


def _inside(value: Any, found: dict[str, Wrong], depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, found) if "&" in value or "_x" in value else value
    if depth > 8:
        return value
    if isinstance(value, list):
        return [_inside(item, found, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {key: _inside(item, found, depth + 1) for key, item in value.items()}
    return value


def _text(text: str, found: dict[str, Wrong]) -> str:
    def entity(match: re.Match[str]) -> str:
        if not _known(match[0]):
            return match[0]
        character = html.unescape(match[0])
        found.setdefault("entity", _word(match[0], character))
        return character

    def escape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        found.setdefault("escape", _word(match[0].strip(), character))
        return "\n" if character == "\r" else character + match[2]

    text = _ESCAPE.sub(escape, text) if "_x" in text else text
    return _ENTITY.sub(entity, text) if "&" in text else text


def _known(entity: str) -> bool:
    return entity[1] == "#" or entity[1:] in html5


def _word(was: str, character: str) -> Wrong:
    shown = shorten(character, 10) or f"U+{ord(character[:1] or ' '):04X}"
    return Wrong(
        f"'{was}' stands for '{shown}', and was read so.",
        "Look whether that is meant.",
        "mended",
    )


def escaped(text: str) -> str:
    """A text written so that `mended` gives it back."""
    if "&" in text:
        text = _ENTITY.sub(lambda m: "&amp;" + m[0][1:] if _known(m[0]) else m[0], text)
    return _ESCAPE_BEGINS.sub("_x005F_", text) if "_x" in text else text
