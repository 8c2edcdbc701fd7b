"""Values that a program printed into a text: lists and dicts of Python, numpy and JSON, and bytes.

Nothing is ever run: the text is parsed, and only what stands for data is taken. numpy puts no
commas between the items of an array; they are put in, so that two texts never become one.
Knows nothing about facts.
"""

import ast
import datetime
import io
import re
import tokenize
import warnings
from collections.abc import Mapping
from typing import Any

from workbench.facts.problems import shorten
from workbench.facts.tables.loose import json_value
from workbench.facts.wrong import Wrong

__all__ = ["literal", "taken_apart", "unprinted"]

# What no person writes: a bracket and a quote, the call of an array, bytes.
_SURE = re.compile(
    r"""\[\s*(?:[bBuUrR]?['"]|\{\s*['"]).*\]$
    | \{\s*(?:['"].*)?\}$
    | (?:np\.|numpy\.)?array\(.*\)$
    | [bB](?P<quote>['"]).*(?P=quote)$""",
    re.VERBOSE | re.DOTALL,
)
# What may be a printed list, or a text that begins and ends with a bracket.
_LIKELY = re.compile(r"""\[.*\]$|\(\s*[bBuU]?['"].*\)$""", re.DOTALL)
_NAMES: dict[str, Any] = {
    "nan": None, "NaN": None, "NaT": None, "None": None, "null": None,
    "True": True, "true": True, "False": False, "false": False,
}  # fmt: skip
# Calls in which the data is the first argument.
_HOLDERS = frozenset(
    {"array", "list", "tuple", "set", "frozenset", "dict", "OrderedDict", "deque", "Series",
     "str_", "bytes_", "bool_", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
     "Decimal", "Timestamp", "datetime64"}
)  # fmt: skip
_ENDS_VALUE = frozenset("])}")
_BEGINS_VALUE = frozenset("[{")


class _NoData(ValueError):
    """Something in the text does not stand for data."""


def unprinted(cell: str) -> Any:
    """The value that a program printed, or the text itself where it is one.

    Raises:
        Wrong: it was certainly printed, and cannot be taken apart.
    """
    text = cell.strip()
    if not text or text[-1] not in "])}'\"":
        return cell
    sure = _SURE.match(text)
    if not sure and not _LIKELY.match(text):
        return cell
    try:
        value = literal(text, arrays=True)
        return value if sure or isinstance(value, list) else cell
    except ValueError as error:
        if not sure:
            return cell
        what = f"A program printed '{shorten(text, 40)}' into this cell, which cannot be read."
        mend = "Write the text itself, or a list as JSON."
        raise Wrong(what, mend, "printed") from error


def taken_apart(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row's cells, with the values in the place of those that a program printed.

    What cannot be taken apart stays as it is; whoever expects something else there says so.
    """
    return {name: _quietly(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}


def _quietly(cell: str) -> Any:
    try:
        return unprinted(cell)
    except Wrong:
        return cell


def literal(text: str, arrays: bool = False) -> Any:
    """The data that a text is the print of: texts, numbers, lists and dicts.

    Args:
        text: the text.
        arrays: whether the items of a list may stand beside each other, as numpy prints them.

    Raises:
        ValueError: it is no such print.
    """
    try:
        return json_value(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about backslashes, which are taken as they are
            body = ast.parse(_with_commas(text, arrays), mode="eval").body
        if isinstance(body, ast.Tuple) and not text.startswith("("):
            raise _NoData("several values beside each other")
        return _data(body)
    except (SyntaxError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise ValueError("not the print of data") from error


def _with_commas(text: str, arrays: bool) -> str:
    """The text with a comma between two values that have nothing between them.

    Raises:
        ValueError: there are such values, which may not be.
    """
    lines = text.splitlines(keepends=True)
    pieces: list[str] = []
    row, column = 1, 0
    before = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER):
            continue
        if before is not None and _ends(before) and _begins(token):
            if not arrays:
                raise _NoData("two values without a comma")
            end_row, end_column = before.end
            pieces.append(_between(lines, (row, column), (end_row, end_column)))
            pieces.append(",")
            row, column = end_row, end_column
        before = token
    pieces.append(_between(lines, (row, column), (len(lines), len(lines[-1]))))
    return "".join(pieces)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    (first, begin), (last, stop) = start, end
    if first == last:
        return lines[first - 1][begin:stop]
    middle = lines[first : last - 1]
    return "".join((lines[first - 1][begin:], *middle, lines[last - 1][:stop]))


def _ends(token: tokenize.TokenInfo) -> bool:
    if token.type == tokenize.NAME:
        return token.string in _NAMES
    return token.type in (tokenize.STRING, tokenize.NUMBER) or token.string in _ENDS_VALUE


def _begins(token: tokenize.TokenInfo) -> bool:
    values = (tokenize.STRING, tokenize.NUMBER, tokenize.NAME)
    return token.type in values or token.string in _BEGINS_VALUE


def _data(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=bytes(raw)):
            return raw.decode("utf-8")
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_data(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {
                str(_data(key)): _data(value)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Call(func=func, args=args):
            return _called(func, args)
    raise _NoData(type(node).__name__)


def _called(func: ast.expr, args: list[ast.expr]) -> Any:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name in _HOLDERS and args:
        return _data(args[0])
    if name in ("date", "datetime"):
        parts = [_data(arg) for arg in args]
        if all(isinstance(part, int) for part in parts) and len(parts) >= 3:
            return datetime.date(*parts[:3])
    raise _NoData(name)
