"""The bytes of a file of facts, unpacked and no larger than allowed.

A file may be packed once: .gz of one file, or .zip of one file, told by content. What comes out
is a file that can be read twice and knows its size.

Invariant: no more is ever unpacked than the limit, however small the packed file is.
Knows nothing about what the bytes mean, but that a workbook is no archive to unpack.
"""

import gzip
import lzma
import struct
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from workbench.errors import FactsError

__all__ = ["MAX_BYTES", "Source", "open_source", "unpacked"]

MAX_BYTES = 200_000_000
GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
WORKBOOK = "xl/workbook.xml"
SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"

_CHUNK = 1 << 20
# Small files stay in memory, large ones go to the disk.
_IN_MEMORY = 8 << 20
# What the standard library raises about archives that are broken, locked or of an unknown kind.
_BROKEN = (
    OSError, EOFError, RuntimeError, ValueError, LookupError, OverflowError, struct.error,
    zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is open for reading.

    Args:
        file: bytes, at their beginning; can be sought.
        name: what to call it in messages.
        size: how many bytes there are.
        limit: how many bytes may come out of it.
        stack: closes, when it is closed, this file and what was opened on top of it.
    """

    file: IO[bytes]
    name: str
    size: int
    limit: int = MAX_BYTES
    stack: ExitStack = field(default_factory=ExitStack)

    def head(self, length: int) -> bytes:
        """The first bytes; reading starts at the beginning again afterwards."""
        self.file.seek(0)
        found = self.file.read(length)
        self.file.seek(0)
        return found

    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(1.0, self.file.tell() / self.size) if self.size else 1.0


def open_source(path: Path, limit: int) -> Source:
    """Opens a file.

    Raises:
        FactsError: it is not there, cannot be opened, or is too large.
    """
    if path.is_dir():
        raise FactsError(f"'{path}' is a folder. Name a file with facts in it.")
    try:
        file = path.open("rb")
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise FactsError(f"There is no file '{path}'. Check the name and the folder.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FactsError(f"'{path}' cannot be read: {reason}.") from error
    if size > limit:
        file.close()
        raise too_large(f"'{path.name}'", f"has {_megabytes(size)}", limit)
    source = Source(file, f"'{path.name}'", size, limit)
    source.stack.enter_context(file)
    return source


def too_large(name: str, amount: str, limit: int) -> FactsError:
    """The error about a file that is larger than allowed."""
    return FactsError(
        f"{name} {amount}; at most {_megabytes(limit)} are read. Split it, or raise the limit: "
        "'Limit' on the Facts tab, --max-mb of 'workbench facts'."
    )


def unpacked(source: Source) -> Source:
    """The file inside an archive, or the file itself when it is none.

    Raises:
        FactsError: the archive is broken, holds several files, or more bytes than allowed.
    """
    head = source.head(4)
    if head.startswith(GZIP):
        return _once(_gunzip(source))
    if head in ZIP:
        return _once(_unzip(source))
    return source


def _once(source: Source) -> Source:
    if source.head(2) == GZIP or (source.head(4) in ZIP and not workbook_kind(source)):
        raise FactsError(f"{source.name} is packed twice. Unpack it once, and read that.")
    return source


def workbook_kind(source: Source) -> str:
    """Which workbook a zip archive is, ``excel`` or ``open document``; empty for others."""
    if source.head(4) not in ZIP:
        return ""
    try:
        with zipfile.ZipFile(source.file) as archive:
            names = archive.namelist()
            if WORKBOOK in names:
                return "excel"
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                told = archive.read("mimetype")
                return "open document" if told.startswith(SPREADSHEET) else ""
            return ""
    except _BROKEN:
        return ""
    finally:
        source.file.seek(0)


def _gunzip(source: Source) -> Source:
    name = source.name.replace(".gz'", "'")
    try:
        with gzip.GzipFile(fileobj=source.file) as packed:
            return _copied(packed, source, name)
    except _BROKEN as error:
        raise _broken(source, "gzip") from error


def _unzip(source: Source) -> Source:
    if workbook_kind(source):
        return source
    try:
        with zipfile.ZipFile(source.file) as archive:
            names = [i.filename for i in archive.infolist() if not _aside(i)]
            if len(names) != 1:
                listed = ", ".join(f"'{name}'" for name in names[:5])
                raise FactsError(
                    f"{source.name} holds {len(names)} files{': ' if listed else ''}{listed}. "
                    "Pack exactly one file of facts, or read it unpacked."
                )
            with archive.open(names[0]) as packed:
                return _copied(packed, source, f"'{Path(names[0]).name}' in {source.name}")
    except _BROKEN as error:
        raise _broken(source, "zip") from error


def _aside(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder, or something that an operating system adds."""
    name = info.filename
    return info.is_dir() or name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _copied(packed: IO[bytes] | gzip.GzipFile, source: Source, name: str) -> Source:
    """The unpacked bytes, as a file of their own that can be sought."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the stack closes it
    source.stack.enter_context(file)
    size = 0
    while chunk := packed.read(_CHUNK):
        size += len(chunk)
        if size > source.limit:
            raise too_large(source.name, "is larger than that unpacked", source.limit)
        file.write(chunk)
    file.seek(0)
    return Source(file, name, size, source.limit, source.stack)


def _broken(source: Source, kind: str) -> FactsError:
    return FactsError(
        f"{source.name} is a {kind} archive that cannot be unpacked: it is broken, or locked with "
        "a password. Pack it again, or read the file unpacked."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"
