"""From bytes to text, whatever program wrote them.

Knows encodings only: a byte order mark decides, then UTF-16 by its zero bytes, then UTF-8, and
Windows-1252 or Latin-1 where nothing else fits. The bytes are looked at once to find that out,
and then read piece by piece, so that a large file is never whole in memory.
"""

import codecs
import io
from typing import BinaryIO, TextIO, cast

from workbench.errors import FactsError
from workbench.facts.source import Source

__all__ = ["open_text"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_TEXT = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind (.xls)",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}
_CHUNK = 1 << 20


def open_text(source: Source) -> tuple[TextIO, str]:
    """Opens a file's bytes as text, with line ends as they are.

    Returns:
        The text without byte order mark, and the encoding's name where it had to be guessed
        (else an empty text).

    Raises:
        FactsError: the bytes are not text.
    """
    head = source.head(4096)
    for start, kind in _NOT_TEXT.items():
        if head.startswith(start):
            raise FactsError(
                f"{source.name} is {kind}. Save the table as CSV (UTF-8), or as JSON, "
                "and read that."
            )
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            _require(source, encoding, len(mark))
            return _opened(source, encoding, len(mark)), ""
    encoding = _wide(head) or "utf-8"
    if _undecodable(source, encoding, 0) is None:
        return _opened(source, encoding, 0), ""
    return _one_byte(source)


def _opened(source: Source, encoding: str, start: int) -> TextIO:
    source.file.seek(start)
    binary = cast(BinaryIO, source.file)
    return source.stack.enter_context(io.TextIOWrapper(binary, encoding=encoding, newline=""))


def _undecodable(source: Source, encoding: str, start: int) -> int | None:
    """Where the bytes are not text in this encoding; None when they are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    source.file.seek(start)
    done = start
    while True:
        chunk = source.file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return done + error.start
        if not chunk:
            return None
        done += len(chunk)


def _require(source: Source, encoding: str, start: int) -> None:
    wrong = _undecodable(source, encoding, start)
    if wrong is not None:
        raise FactsError(
            f"{source.name} says that it is {encoding.upper()}, but byte {wrong} is not. "
            "Save it again as UTF-8."
        )


def _wide(head: bytes) -> str:
    """The byte order of UTF-16 without a mark: in most texts every second byte is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 3 < len(head) / 2:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _one_byte(source: Source) -> tuple[TextIO, str]:
    source.file.seek(0)
    while chunk := source.file.read(_CHUNK):
        if b"\0" in chunk:
            raise FactsError(
                f"{source.name} is not a text file. Save the table as CSV (UTF-8), or as JSON."
            )
    if _undecodable(source, "cp1252", 0) is None:
        return _opened(source, "cp1252", 0), "Windows-1252"
    return _opened(source, "latin-1", 0), "Latin-1"
