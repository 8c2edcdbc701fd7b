"""From bytes to text, whatever program wrote them.

Knows encodings only: a byte order mark decides, then UTF-16 by its zero bytes, then UTF-8, and
Windows-1252 or Latin-1 where nothing else fits.
"""

import codecs

from workbench.recipe.errors import FactsError

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
}


def decode(data: bytes, where: str) -> tuple[str, str]:
    """Turns a file's bytes into text.

    Args:
        data: the whole content.
        where: the file's name, for messages.

    Returns:
        The text without byte order mark, and the encoding's name where it had to be guessed
        (else an empty text).

    Raises:
        FactsError: the bytes are not text.
    """
    for start, kind in _NOT_TEXT.items():
        if data.startswith(start):
            raise FactsError(
                f"{where} is {kind}. Save the table as CSV (UTF-8), or as JSON, and read that."
            )
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding, where), ""
    encoding = _wide(data[:4096]) or "utf-8"
    try:
        return data.decode(encoding), ""
    except UnicodeDecodeError:
        return _one_byte(data, where)


def _strict(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FactsError(
            f"{where} says that it is {encoding.upper()}, but byte {error.start} is not. "
            "Save it again as UTF-8."
        ) from error


def _wide(head: bytes) -> str:
    """The byte order of UTF-16 without a mark: in most texts every second byte is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 3 < len(head) / 2:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _one_byte(data: bytes, where: str) -> tuple[str, str]:
    if b"\0" in data:
        raise FactsError(f"{where} is not a text file. Save the table as CSV (UTF-8), or as JSON.")
    try:
        return data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1"
