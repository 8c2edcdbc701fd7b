"""Rows from YAML: a list of maps, at the top or under the name ``facts``.

Invariant: a broken entry costs itself only, and is reported. A number, a date, and ``no`` are the
text that stands there. No entry is larger than what stands in the file. Knows nothing about what
the maps mean.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TextIO

from workbench.facts.source import Source
from workbench.facts.tables.elements import MAX_ELEMENT
from workbench.facts.tables.table import Row, Table, object_row, unreadable

__all__ = ["is_yaml", "yaml_table"]

# Lines that may stand before the list.
_BEFORE = re.compile(r"\s*(#.*|---.*|%YAML.*|facts\s*:\s*(#.*)?)?")
_ENTRY = re.compile(r"(?P<indent> *)-(\s+(?P<rest>.*))?")
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[\w][\w .-]*)\s*:(\s|$)|\{|&\S+$""")
_LOOKED_AT = 200
_MEND = "Write each entry as '- prompt: …' with 'target_new: …' under it."


def is_yaml(text: TextIO) -> bool:
    """Whether a text starts with a list of maps; it is at its beginning again afterwards."""
    begin = text.tell()
    try:
        for _ in range(_LOOKED_AT):
            line = text.readline(MAX_ELEMENT)
            entry = _ENTRY.fullmatch(line.rstrip())
            if entry is not None and not line.startswith("---"):
                rest = entry["rest"] or text.readline(MAX_ELEMENT).strip()
                return _KEY.match(rest) is not None
            if not line or not _BEFORE.fullmatch(line.rstrip()):
                return False
        return False
    finally:
        text.seek(begin)


def yaml_table(text: TextIO, source: Source) -> Table:
    """A table from a text that `is_yaml`; a row's number is that of its first line."""
    return Table("YAML", _rows(text), source.share)


def _rows(text: TextIO) -> Iterator[Row]:
    for number, lines in _entries(text):
        yield _row(number, "".join(lines))


def _entries(text: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yields (first line's number, lines) of each entry, and of what stands where an entry should.

    An entry goes on while its lines stand further in than its dash.
    """
    indent: int | None = None
    start, lines, length, number = 0, [], 0, 0
    while line := text.readline(MAX_ELEMENT):
        number += 1
        bare = line.strip()
        if not bare or bare.startswith("#") or bare in ("---", "..."):
            lines.append("\n")
            continue
        inward = len(line) - len(line.lstrip(" "))
        is_entry = _ENTRY.fullmatch(line.rstrip()) is not None
        if indent is None and not is_entry:
            continue
        if indent is None or (inward <= indent and (is_entry or _is_entry(lines))):
            if indent is not None:
                yield start, lines
            indent, start, lines, length = indent or inward, number, [], 0
        length += len(line)
        # One line too many makes the entry an endless one, which `_row` reports.
        if length <= 2 * MAX_ELEMENT:
            lines.append(line)
    if indent is not None:
        yield start, lines


def _is_entry(lines: list[str]) -> bool:
    return _ENTRY.fullmatch(next((line for line in lines if line.strip()), "").rstrip()) is not None


def _row(number: int, content: str) -> Row:
    import yaml

    if len(content) > MAX_ELEMENT:
        what = f"This entry is longer than {MAX_ELEMENT:,} characters."
        return unreadable(number, what, "Shorten it.", "too long")
    try:
        if "*" in content and _has_alias(content):
            what = "This entry stands for another one, by an alias."
            return unreadable(number, what, "Write out what it stands for.")
        value = yaml.load(content, Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = getattr(error, "problem", None) or "it cannot be read"
        return unreadable(number, f"This entry is not YAML: {told}.", _MEND)
    if not isinstance(value, list) or len(value) != 1:
        return unreadable(number, "This is not one entry of a list.", _MEND)
    return object_row(number, _named(value[0]))


def _named(value: Any) -> Any:
    """A map, whose names are texts; names that are lists or maps cannot be columns."""
    if not isinstance(value, dict):
        return value
    return {str(name): inner for name, inner in value.items()}


def _has_alias(content: str) -> bool:
    import yaml

    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content))


@cache
def _loader() -> Any:
    """A safe loader that knows no types but nothing, so that 1890, 2020-01-02 and ``no`` stay."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in known if tag == "tag:yaml.org,2002:null"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
