"""From one raw value to one text.

Every text that leaves here can be given to a tokenizer: no control characters, no lone
surrogates, and not endlessly long. A number, a date, true or false is a word as it was written,
but no prompt. Knows nothing about lists of texts, rows or columns.
"""

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workbench.facts.mend import is_nothing
from workbench.facts.tables.printed import unprinted
from workbench.facts.tables.table import MAX_CELL, shown
from workbench.facts.wrong import Wrong

__all__ = ["plain_text", "plain_word", "text", "unwrapped", "word"]

# Line ends and tabs are part of real prompts; surrogates alone cannot be encoded for a tokenizer.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# What an object calls the text that it stands for, the surest first.
_TEXT_KEYS = ("str", "text", "value", "name", "label", "answer")
# Numbers with more digits or zeros than that are written with an exponent.
_PLAIN_DIGITS = 20


def text(value: Any) -> str:
    """A text, without surrounding blanks; empty for None.

    A list with one text stands for that text, also where a program printed it.

    Raises:
        Wrong: it is no text, or one that no model should be given.
    """
    return plain_text(_alone(value))


def word(value: Any) -> str:
    """A text as `text` reads it, or a number, a date, true or false as it was written.

    Raises:
        Wrong: see `text`.
    """
    return plain_word(_alone(value))


def plain_text(value: Any) -> str:
    """A text as `text` reads it, but one that looks like a printed list is left as it is.

    Raises:
        Wrong: see `text`.
    """
    if isinstance(value, str):  # as nearly always
        return _checked(value)
    value = unwrapped(value)
    if is_nothing(value) or value == {}:
        return ""
    if isinstance(value, bytes):
        value = _decoded(value)
    if isinstance(value, str):
        return _checked(value)
    raise Wrong(f"This is not a text but {shown(value)}.", "Write it in quotes.", "not text")


def plain_word(value: Any) -> str:
    """A word as `word` reads it, but one that looks like a printed list is left as it is.

    Raises:
        Wrong: see `text`.
    """
    if isinstance(value, str):  # as nearly always
        return _checked(value)
    value = unwrapped(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return _digits(value)
    if isinstance(value, float) and abs(value) < float("inf"):
        whole = value == value // 1 and abs(value) < 10**15
        return str(int(value)) if whole else _digits(Decimal(repr(value)))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return str(value)
    return plain_text(value)


def unwrapped(value: Any) -> Any:
    """The text of an object such as ``{"str": …}``, or the value itself."""
    if isinstance(value, Mapping):
        return next((value[key] for key in _TEXT_KEYS if key in value), value)
    return value


def _alone(value: Any) -> Any:
    """What stands for one text: taken apart where it was printed, out of a list of one."""
    if isinstance(value, str):
        value = unprinted(value)
        if isinstance(value, str):
            return value
    while isinstance(value, list):
        filled = [item for item in value if not is_nothing(item)]
        if len(filled) > 1:
            what = f"There are {len(filled)} texts, where one is expected: {shown(value)}."
            raise Wrong(what, "Write one text, or a row for each.", "not text")
        value = filled[0] if filled else None
    return value


def _digits(value: int | Decimal) -> str:
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError as error:  # more digits than Python prints
            raise Wrong("The number is too long.", "Shorten it.", "too long") from error
    return f"{value:f}" if abs(value.adjusted()) < _PLAIN_DIGITS else str(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"These are {len(value)} bytes that are no UTF-8 text."
        raise Wrong(what, "Save the column as text.", "not text") from error


def _checked(value: str) -> str:
    value = value.strip()
    if len(value) > MAX_CELL:
        raise Wrong(
            f"The text has {len(value):,} characters; at most {MAX_CELL:,} are read.",
            "Shorten it, or look for a quote that was never closed.",
            "too long",
        )
    found = _CONTROL.search(value)
    if found:
        raise Wrong(
            f"The control character U+{ord(found[0]):04X} is in the text.",
            "Delete it, or save the file again as UTF-8.",
            "control character",
        )
    return value
