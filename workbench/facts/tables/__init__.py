"""From a file's bytes to rows, told by content: CSV, TSV, JSON, JSON lines, YAML, Excel,
OpenDocument, Parquet and Arrow.

Invariant: every record becomes one `Row`, also one that cannot be read; nothing is dropped but
blank lines. Knows nothing about what the columns mean.
"""

from workbench.facts.tables.open import FILE_TYPES, open_table, text_table
from workbench.facts.tables.table import Row, Table

__all__ = ["FILE_TYPES", "Row", "Table", "open_table", "text_table"]
