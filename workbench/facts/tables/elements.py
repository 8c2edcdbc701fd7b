"""The elements of a JSON array, one after another, from text that comes in pieces.

Comments and commas that are too many are passed over where they are met, and remembered.
Invariant: either every element comes out, and the text after the array is what is allowed there,
or a FactsError says where the JSON is broken.
Knows nothing about what the elements mean.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from workbench.errors import FactsError
from workbench.facts.tables.loose import loosened, number

__all__ = ["MAX_ELEMENT", "Elements", "broken"]

# The longest element, in characters: more is a bracket that was never closed.
MAX_ELEMENT = 10_000_000

_PIECE = 1 << 18
_BLANKS = re.compile(r"[ \t\n\r]*")
# An error this near to the end of what was read may only mean that the rest is still to come.
_NEAR = 16


class Elements:
    """The elements of an array.

    Args:
        text: starts with the array.
        name: what to call the file in messages.
        allowed: whether a text may follow the array; by default blanks only. It is given no more
            than `MAX_ELEMENT` characters of it.

    Attributes:
        loose: whether there were comments, or commas that are too many.
    """

    def __init__(
        self, text: TextIO, name: str, allowed: Callable[[str], bool] = lambda rest: not rest
    ) -> None:
        self._text, self._name, self._allowed = text, name, allowed
        self._buffer, self._at = "", 0
        self._ended = False
        self.loose, self._loosened = False, False
        # Where the buffer begins in the whole text: lines before it, characters before it in
        # its first line.
        self._lines, self._column = 0, 0

    def __iter__(self) -> Iterator[Any]:
        decode = json.JSONDecoder(parse_float=number).raw_decode
        self._expect("[", "Expecting a list")
        after = self._next()
        while after != "]":
            yield self._element(decode)
            after = self._next()
            if after not in (",", "]"):
                raise self._broken("Expecting ',' delimiter", self._at)
            if after == ",":
                self._at += 1
                after = self._next()
                self.loose |= after == "]"
        self._at += 1
        self._finish()

    def _element(self, decode: Callable[[str, int], tuple[Any, int]]) -> Any:
        while True:
            try:
                value, end = decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._begins_comment(error.pos) and self._loosen():
                    continue
                if self._ended or not self._may_go_on(error):
                    if self._loosen():
                        continue
                    raise self._broken(error.msg, error.pos) from error
            except (ValueError, RecursionError) as error:
                raise broken(self._name, error) from error
            else:
                if self._ended or isinstance(value, (dict, list, str)) or self._is_over(end):
                    self._at = end
                    return value
            if len(self._buffer) - self._at > MAX_ELEMENT:
                raise FactsError(
                    f"Something in {self._name} from line {self._lines + 1} on is longer than "
                    f"{MAX_ELEMENT:,} characters. Close the bracket or the quote that is open."
                )
            self._more()

    def _loosen(self) -> bool:
        """Blanks out comments and commas that are too many; whether that changed anything.

        Once for what is in the buffer: a second time would take one more comma of several.
        """
        if self._loosened:
            return False
        self._loosened = True
        before, rest = self._buffer[: self._at], self._buffer[self._at :]
        mended = loosened(rest, self._ended)
        self._buffer = before + mended
        self.loose |= mended != rest
        return mended != rest

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        unterminated = error.msg.startswith("Unterminated string")
        near = error.pos > len(self._buffer) - _NEAR
        return unterminated or near or self._begins_comment(error.pos)

    def _is_over(self, end: int) -> bool:
        """Whether a number ends there; at the end of the buffer more digits may come."""
        after = self._buffer[end : end + 1]
        return bool(after) and after not in "0123456789.eE+-"

    def _begins_comment(self, place: int) -> bool:
        return self._buffer.startswith("/", place)

    def _next(self) -> str:
        """Goes to the next character that is no blank and in no comment; empty at the end."""
        while True:
            found = _BLANKS.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            here = self._buffer[self._at : self._at + 1]
            if here == "/" and self._loosen():
                continue
            open_comment = here == "/" and len(self._buffer) - self._at <= MAX_ELEMENT
            if self._ended or (here and not open_comment):
                return here
            self._more()

    def _expect(self, character: str, message: str) -> None:
        if self._next() != character:
            raise self._broken(message, self._at)
        self._at += 1

    def _more(self) -> None:
        """Reads on, twice as much as is waiting, and forgets what is done."""
        done = self._buffer[: self._at]
        newlines = done.count("\n")
        self._lines += newlines
        since = len(done) - done.rfind("\n") - 1 if newlines else self._column + len(done)
        self._column = since
        rest = self._buffer[self._at :]
        piece = self._text.read(max(_PIECE, len(rest)))
        self._ended = not piece
        self._buffer, self._at = rest + piece, 0
        self._loosened = False
        if self.loose:
            self._loosen()

    def _finish(self) -> None:
        self._next()
        rest = self._buffer[self._at :]
        while not self._ended and len(rest) <= MAX_ELEMENT:
            self._more()
            rest = self._buffer
        if not self._allowed(rest.rstrip()) and not (
            self._loosen() and self._allowed(self._buffer[self._at :].rstrip())
        ):
            raise self._broken("Extra data", self._at)

    def _broken(self, message: str, place: int) -> FactsError:
        before = self._buffer[:place]
        newlines = before.count("\n")
        line = self._lines + newlines + 1
        column = place - before.rfind("\n") if newlines else self._column + place + 1
        return _at(self._name, line, column, message)


def broken(name: str, error: Exception) -> FactsError:
    """The error about JSON that cannot be read."""
    if isinstance(error, json.JSONDecodeError):
        return _at(name, error.lineno, error.colno, error.msg)
    return FactsError(
        f"The JSON in {name} cannot be read: a number is too long or it is nested too deeply."
    )


def _at(name: str, line: int, column: int, message: str) -> FactsError:
    return FactsError(
        f"The JSON in {name} is broken in line {line}, column {column}: {message}. "
        "Mend it there and read it again."
    )
