"""JSON as people write it: with comments, and with commas that are too many.

They are blanked out, so that every line and column stays where it is, and a large file can be
mended piece by piece. Knows nothing about what the values mean.
"""

import json
import re
from decimal import Decimal
from typing import Any

__all__ = ["json_value", "loosened", "number"]

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)'
_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_COMMA = re.compile(_STRING + r"|,(?=\s*[\]}])", re.DOTALL)
_INK = re.compile(r"[^\n]")


def number(text: str) -> Decimal | float:
    """A number that keeps the digits that were written, such as 3.10."""
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond all bounds
        return float(text)


def json_value(text: str) -> Any:
    """The value of a JSON text; numbers keep their digits.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_float=number)


def loosened(text: str, whole: bool = True) -> str:
    """The text with blanks in the place of comments and of commas before a closing bracket.

    Args:
        text: begins outside of any string and comment.
        whole: whether nothing follows; if something does, a comment at the end is left alone,
            because its own end is not known.
    """

    def comment(match: re.Match[str]) -> str:
        found = match[0]
        if found.startswith("//"):
            open_end = match.end() == len(text) and not whole
        else:
            open_end = len(found) < 4 or not found.endswith("*/")
        return found if found[0] == '"' or open_end else _INK.sub(" ", found)

    if "/" in text:
        text = _COMMENT.sub(comment, text)
    return _COMMA.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)
