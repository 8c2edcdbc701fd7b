"""Rows from a Parquet file, such as the published data sets are offered in.

Lists and nested fields come out as they do from JSON. Knows nothing about what the columns mean.
"""

from collections.abc import Iterator
from typing import Any

from workbench.errors import FactsError
from workbench.facts.source import Source, too_large
from workbench.facts.tables.table import Row, Table

__all__ = ["parquet_table"]

_ROWS_AT_ONCE = 500


def parquet_table(source: Source) -> Table:
    """A table from a Parquet file; a row's number is its place, counted from 1.

    Raises:
        FactsError: the file is broken or too large, or pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise FactsError(
            f"{source.name} is a Parquet file, which needs pyarrow: pip install pyarrow. "
            "Or save the table as JSON lines, and read that."
        ) from error
    try:
        file = pyarrow.parquet.ParquetFile(source.file)
        count = file.metadata.num_rows
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        names = tuple(dict.fromkeys(file.schema_arrow.names))
    except Exception as error:  # whatever a broken file makes pyarrow raise
        raise _broken(source) from error
    if size > 2 * source.limit:
        raise too_large(source.name, f"holds {count:,} rows", source.limit)
    return Table("Parquet", _rows(file, source), source.share, names)


def _rows(file: Any, source: Source) -> Iterator[Row]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, cells)
    except Exception as error:  # whatever a broken file makes pyarrow raise
        raise _broken(source) from error


def _broken(source: Source) -> FactsError:
    return FactsError(
        f"{source.name} is a Parquet file that cannot be read: it is broken, or of a kind that "
        "is not known. Save the table as JSON lines, and read that."
    )
