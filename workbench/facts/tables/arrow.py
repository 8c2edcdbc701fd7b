"""Rows from an Arrow or Feather file, such as data frames and the cache of data sets are kept in.

Lists and nested fields come out as they do from JSON. Knows nothing about what the columns mean.
"""

from collections.abc import Iterator
from typing import Any

from workbench.errors import FactsError
from workbench.facts.source import Source, too_large
from workbench.facts.tables.table import Row, Table

__all__ = ["arrow_table", "is_arrow"]

_FILE, _STREAM = b"ARROW1", b"\xff\xff\xff\xff"
_ROWS_AT_ONCE = 500


def is_arrow(head: bytes) -> bool:
    """Whether a file that starts so is an Arrow file, or a stream of Arrow's batches."""
    # A stream starts with a mark and the length of its schema, which is never that long.
    return head.startswith(_FILE) or (head.startswith(_STREAM) and head[6:8] == b"\0\0")


def arrow_table(source: Source) -> Table:
    """A table from an Arrow file; a row's number is its place, counted from 1.

    Raises:
        FactsError: the file is broken or too large, or pyarrow is not installed.
    """
    try:
        import pyarrow.ipc
    except ImportError as error:
        raise FactsError(
            f"{source.name} is an Arrow file, which needs pyarrow: pip install pyarrow. "
            "Or save the table as JSON lines, and read that."
        ) from error
    try:
        is_file = source.head(len(_FILE)) == _FILE
        open_it = pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream
        reader = open_it(source.file)
        names = tuple(dict.fromkeys(reader.schema.names))
    except Exception as error:  # whatever a broken file makes pyarrow raise
        raise _broken(source) from error
    batches = _batches(reader, is_file)
    return Table("Arrow", _rows(batches, source), source.share, names)


def _batches(reader: Any, is_file: bool) -> Iterator[Any]:
    if not is_file:
        yield from reader
        return
    for place in range(reader.num_record_batches):
        yield reader.get_batch(place)


def _rows(batches: Iterator[Any], source: Source) -> Iterator[Row]:
    number = size = 0
    try:
        for batch in batches:
            batch.validate(full=True)
            size += batch.nbytes
            if size > 2 * source.limit:
                raise too_large(source.name, "is too large unpacked", source.limit)
            for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
                for cells in batch.slice(start, _ROWS_AT_ONCE).to_pylist():
                    number += 1
                    yield Row(number, cells)
    except FactsError:
        raise
    except Exception as error:  # whatever a broken file makes pyarrow raise
        raise _broken(source) from error


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is an Arrow file that cannot be read: it is broken, or of a kind that "
        "is not known. Save the table as JSON lines, and read that."
    )
