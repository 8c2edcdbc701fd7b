"""From bytes to text, whatever program wrote them.

Knows encodings only: what somebody says, then a byte order mark, then UTF-16 and UTF-32 by their
zero bytes, then UTF-8; where nothing of that fits, the encoding in which the text is likeliest.
That is judged by lines from all over the file; the file is then read piece by piece, so that a
large one is never whole in memory. A character that cannot be read costs itself only.
"""

import codecs
import io
import re
from dataclasses import dataclass
from typing import BinaryIO, TextIO, cast

from workbench.errors import FactsError
from workbench.facts.encodings import encoding_label, find_encoding
from workbench.facts.likely import ENCODINGS, is_plausible, likelihood
from workbench.facts.problems import shorten
from workbench.facts.source import Source

__all__ = ["Text", "open_text"]

# The mark of UTF-32 begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
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
_HEAD = 1 << 16
# The lines that are not ASCII are gathered from all of the file, a part of them from each piece.
_PIECE, _SAMPLE, _LEAST = 1 << 16, 1 << 15, 256
# So few bytes say little about an encoding.
_FEW = 3
# No character of any of the encodings ends with one of these bytes, but as itself.
_EDGES = (b"\n", b'"', b",")
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_BEYOND = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A file's bytes as text.

    Args:
        stream: the text, with line ends as they are and without byte order mark.
        encoding: the codec.
        guessed: whether it had to be guessed, and may be wrong.
        preview: a line that is another one in another encoding; empty when it was not guessed.
        lost: how many characters could not be read, each of which is U+FFFD now.
    """

    stream: TextIO
    encoding: str
    guessed: bool = False
    preview: str = ""
    lost: int = 0

    @property
    def label(self) -> str:
        """What the encoding is called in messages."""
        return encoding_label(self.encoding)


def open_text(source: Source, said: str = "") -> Text:
    """Opens a file's bytes as text.

    Args:
        source: the file.
        said: the encoding, where somebody says so.

    Raises:
        FactsError: the bytes are not text, or there is no such encoding.
    """
    head = source.head(_HEAD)
    for start, kind in _NOT_TEXT.items():
        if head.startswith(start):
            raise FactsError(
                f"{source.name} is {kind}. Save the table as CSV (UTF-8), or as JSON, "
                "and read that."
            )
    mark, marked = next(((m, e) for m, e in _MARKS if head.startswith(m)), (b"", ""))
    if said:
        return _as_said(source, find_encoding(said), mark, marked)
    if marked:
        if marked in _WIDE:
            _require(source, marked, len(mark))
        return _opened(source, marked, len(mark))
    wide = _wide(head)
    if wide and (head.count(0) * 6 > len(head) or _lost(source, "utf-8", 0)):
        _require_text(source, wide)
        return _opened(source, wide, 0)
    lost = _lost(source, "utf-8", 0)
    if not lost:
        return Text(_stream(source, "utf-8", 0), "utf-8")
    return _guessed(source, lost)


def _as_said(source: Source, said: str, mark: bytes, marked: str) -> Text:
    """The text in the encoding that somebody said; a byte order mark that fits is no text."""
    general = said in ("utf-16", "utf-32", "utf-8-sig") and marked.startswith(said[:6])
    if general or said == marked:
        return _opened(source, marked, len(mark))
    return _opened(source, {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(said, said), 0)


def _opened(source: Source, encoding: str, start: int) -> Text:
    lost = _lost(source, encoding, start)
    return Text(_stream(source, encoding, start), encoding, lost=lost)


def _stream(source: Source, encoding: str, start: int) -> TextIO:
    source.file.seek(start)
    binary = cast(BinaryIO, source.file)
    wrapped = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
    return source.stack.enter_context(wrapped)


def _lost(source: Source, encoding: str, start: int) -> int:
    """How many characters cannot be read in an encoding; a strict look first, for it is faster."""
    if _undecodable(source, encoding, start) is None:
        return 0
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    source.file.seek(start)
    lost = 0
    while chunk := source.file.read(_CHUNK):
        lost += decoder.decode(chunk).count("\ufffd")
    return max(1, lost + decoder.decode(b"", final=True).count("\ufffd"))


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


def _require_text(source: Source, encoding: str) -> None:
    if not encoding or _undecodable(source, encoding, 0) is not None:
        raise FactsError(
            f"{source.name} is not a text file. Save the table as CSV (UTF-8), or as JSON."
        )


def _wide(head: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: where the zero bytes are, and what is ASCII then.

    A table has separators and line ends in ASCII, whatever its language.
    """
    if 0 not in head:
        return ""
    plain = {codec: _plain_share(head, codec) for codec in _WIDE}
    best = max(plain, key=lambda codec: plain[codec])
    return best if plain[best] else ""


def _plain_share(head: bytes, codec: str) -> float:
    """How much of the text would be plain ASCII; 0 when something would be no text at all."""
    whole = head[: len(head) // 4 * 4] if codec.startswith("utf-32") else head[: len(head) & ~1]
    decoded = whole.decode(codec, "replace")
    if "\0" in decoded or decoded.count("\ufffd") > 1:
        return 0.0
    return sum(character.isascii() for character in decoded) / max(1, len(decoded))


def _guessed(source: Source, lost: int) -> Text:
    """The text in the encoding in which it is likeliest.

    A file in UTF-8 with bytes that do not belong there has more whole characters than such
    bytes; in other encodings it is the other way round. Where next to everything is ASCII, a byte
    that makes no sense in any encoding is one that does not belong there either.
    """
    sample = _sample(source)
    whole = len(_SEQUENCE.findall(sample))
    if whole and whole >= len(_BEYOND.findall(_SEQUENCE.sub(b"", sample))):
        return Text(_stream(source, "utf-8", 0), "utf-8", lost=lost)
    if 0 in sample or _has_zero(source):
        _require_text(source, "")
    read = {codec: sample.decode(codec, "replace").split("\n") for codec in ENCODINGS}
    best = max(read, key=lambda codec: likelihood(read[codec], codec))
    if len(_BEYOND.findall(sample)) <= _FEW and not is_plausible(read[best], best):
        return Text(_stream(source, "utf-8", 0), "utf-8", lost=lost)
    preview = shorten(next((line for line in read[best] if not line.isascii()), ""), 60)
    lost = _lost(source, best, 0)
    return Text(_stream(source, best, 0), best, guessed=True, preview=preview, lost=lost)


def _sample(source: Source) -> bytes:
    """What is not plain ASCII, by lines from all over the file; never nothing."""
    pieces: list[bytes] = []
    left = b""
    room = max(_LEAST, _SAMPLE * _PIECE // max(1, source.size))
    source.file.seek(0)
    while chunk := source.file.read(_PIECE):
        text = left + chunk
        cut = max(map(text.rfind, _EDGES)) + 1
        if len(text) - cut > _PIECE:
            cut = len(text)
        text, left = text[:cut], text[cut:]
        if not text.isascii():
            pieces.append(_beyond_ascii(text)[:room])
    if not left.isascii():
        pieces.append(_beyond_ascii(left)[:room])
    many = sum(map(len, pieces)) // _SAMPLE + 1
    return b"\n".join(pieces[::many])


def _beyond_ascii(text: bytes) -> bytes:
    return b"\n".join(line for line in text.split(b"\n") if not line.isascii())


def _has_zero(source: Source) -> bool:
    source.file.seek(0)
    while chunk := source.file.read(_CHUNK):
        if 0 in chunk:
            return True
    return False
