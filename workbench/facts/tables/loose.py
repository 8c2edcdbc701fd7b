"""JSON as people write it: with comments, with commas that are too many, with other quotes.

Comments and commas are blanked out, so that every line and column stays where it is, and a
large file can be mended piece by piece. Whatever else JSON5 or Python allow is read by their own
parsers, which are slow, so that only short texts are given to them.
Knows nothing about what the values mean.
"""

import json
import re
from decimal import Decimal
from typing import Any

__all__ = ["SHORT", "json_value", "loose_value", "loosened", "number"]

# The longest text, in characters, that is given to the parser of JSON5; about two seconds.
SHORT = 250_000

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)'
_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*.*?\*/", re.DOTALL)
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
        open_end = found.startswith("//") and match.end() == len(text) and not whole
        return found if found[0] == '"' or open_end else _INK.sub(" ", found)

    if "/" in text:
        text = _COMMENT.sub(comment, text)
    return _COMMA.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)


def loose_value(text: str) -> tuple[Any, str]:
    """The value of a text that is nearly JSON, and what was too much or wrong in it.

    Raises:
        ValueError: it cannot be read like that either.
        RecursionError: it is nested too deeply.
    """
    try:
        return json_value(loosened(text)), "comments, or commas before a closing bracket"
    except ValueError:
        if len(text) > SHORT:
            raise
    from workbench.facts.tables.printed import literal

    try:
        return literal(text), "Python's quotes or names"
    except ValueError:
        pass
    import json5

    return json5.loads(text, parse_float=number), "quotes or names as in JavaScript"
