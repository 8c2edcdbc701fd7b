"""The rows inside JSON that is not simply a list of objects.

A list may be wrapped, once or twice; a table may be written column by column, as pandas and the
hub's viewer do, or as lists under a header. Which names are columns and which are rows' labels
is told by the names that facts usually go by, and by labels being numbers.

Invariant: nothing is passed over without a word. Knows nothing about what the columns mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from workbench.errors import FactsError
from workbench.facts.names import is_known, plain_name
from workbench.facts.problems import Problem, shorten
from workbench.facts.tables.separated import cells_row
from workbench.facts.tables.table import Row, object_row, unreadable

__all__ = ["WRAPPERS", "Shape", "list_rows", "others", "shaped", "unwrapped_row"]

# The names under which people wrap a list of facts, the surest first.
WRAPPERS = (
    "facts", "data", "train", "rows", "examples", "records", "items", "instances", "samples",
    "edits", "requests", "entries", "dataset", "results", "test", "validation", "valid", "dev",
)  # fmt: skip
# Lists of objects that are a part of one row, not rows.
_PARTS = frozenset({"requested_rewrite", "messages", "conversations", "conversation"})
# Objects that hold one row together.
_HEARTS = frozenset({"edit", "requested_rewrite"})
_VIEWER = frozenset({"row", "row_idx", "truncated_cells"})
_DEEPEST = 3


class Shape(NamedTuple):
    """What was found in a JSON value.

    Args:
        rows: its rows.
        kind: how they were written, for people to read; empty for a plain list.
        problems: what was passed over.
    """

    rows: Iterable[Row]
    kind: str = ""
    problems: tuple[Problem, ...] = ()


def shaped(value: Any, name: str, depth: int = 0) -> Shape:
    """Finds the rows in a JSON value.

    Args:
        value: a list or an object.
        name: what to call the file in messages.
        depth: how many wrappers there are around it.

    Raises:
        FactsError: it is a table by columns, which are not of one length.
    """
    if isinstance(value, list):
        return Shape(list_rows(value))
    if not isinstance(value, Mapping):
        return Shape([object_row(1, value)])
    names, lines = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(lines, list) and all(map(_is_list, lines)):
        return Shape(_under(names, enumerate(lines, start=1)), "rows and columns apart")
    wrapped = _wrapped(value) if depth < _DEEPEST else None
    if wrapped is not None:
        found = shaped(_without_index(value, wrapped), name, depth + 1)
        return found._replace(problems=(*others(value, wrapped), *found.problems))
    if _by_columns(value):
        return Shape(_numbered(list(_turned(value, name))), "column by column")
    if value and all(isinstance(inner, Mapping) for inner in value.values()):
        return _labelled(value)
    return Shape([object_row(1, value)])


def list_rows(items: Iterable[Any]) -> Iterator[Row]:
    """The rows of a list: objects, what the hub's viewer wraps, or lists under a header."""
    numbered = iter(enumerate(items, start=1))
    for number, item in numbered:
        if number == 1 and _is_header(item):
            yield from _under(item, numbered)
        else:
            yield unwrapped_row(number, item)


def unwrapped_row(number: int, item: Any) -> Row:
    """A row from an object, or from what the hub's viewer puts around one."""
    if isinstance(item, Mapping) and isinstance(item.get("row"), dict) and item.keys() <= _VIEWER:
        cut = item.get("truncated_cells")
        if cut:
            what = f"The viewer has cut what stands in this row: {shorten(str(cut), 60)}."
            return unreadable(number, what, "Read the file of the data set itself.", "left out")
        item = item["row"]
    return object_row(number, item)


def others(value: Mapping[str, Any], taken: str) -> Iterator[Problem]:
    """A word about each list of objects beside the one that was taken."""
    for key, inner in value.items():
        if key != taken and isinstance(inner, list) and any(isinstance(i, Mapping) for i in inner):
            if key in ("fields", "features", "index"):
                continue
            what = (
                f"There are several lists; '{shorten(taken, 40)}' was read, and not "
                f"'{shorten(key, 40)}' with {len(inner):,} entries."
            )
            mend = "Save that list in a file of its own, and read it too."
            yield Problem(0, "", what, mend, "warning", "left out")


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_header(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) > 1
        and all(isinstance(name, str) and name.strip() for name in item)
        and len(set(item)) == len(item)
    )


def _under(names: list[Any], lines: Iterable[tuple[int, Any]]) -> Iterator[Row]:
    """Rows from lists of cells under their columns' names."""
    header = [str(name).strip() for name in names]
    for number, cells in lines:
        if isinstance(cells, list):
            yield cells_row(number, header, list(cells))
        else:
            yield object_row(number, cells)


def _numbered(items: Iterable[Any]) -> Iterator[Row]:
    return (unwrapped_row(number, item) for number, item in enumerate(items, start=1))


def _wrapped(value: Mapping[str, Any]) -> str | None:
    """The key of the list or table that an object is the wrapper of."""
    if _holds_fact(value):
        return None
    known = {plain_name(key): key for key in value if isinstance(key, str)}
    for wrapper in WRAPPERS:
        key = known.get(wrapper)
        if key is not None and isinstance(value[key], (list, dict)) and _is_rows(value[key]):
            return key
    if len(value) == 1:
        ((key, inner),) = value.items()
        listed = isinstance(inner, list) and any(isinstance(item, Mapping) for item in inner)
        if listed and key not in _PARTS:
            return key
    return None


def _holds_fact(value: Mapping[str, Any]) -> bool:
    """Whether an object is itself a row: it has texts under names that facts go by."""
    return any(is_known(name) and isinstance(inner, str) for name, inner in value.items())


def _is_rows(value: list[Any] | dict[str, Any]) -> bool:
    if isinstance(value, dict):
        return any(isinstance(inner, (list, dict)) for inner in value.values())
    return not value or isinstance(value[0], dict) or _is_header(value[0])


def _without_index(value: Mapping[str, Any], key: str) -> Any:
    """What is wrapped, without the labels that pandas' table schema adds to every row."""
    inner, schema = value[key], value.get("schema")
    labels = schema.get("primaryKey") if isinstance(schema, Mapping) else None
    if not isinstance(labels, list) or not isinstance(inner, list):
        return inner
    dropped = {label for label in labels if isinstance(label, str) and not is_known(label)}
    return [
        {name: cell for name, cell in row.items() if name not in dropped}
        if isinstance(row, Mapping)
        else row
        for row in inner
    ]


def _by_columns(value: Mapping[str, Any]) -> bool:
    """Whether an object is a table column by column, rather than one row."""
    lists = {name: inner for name, inner in value.items() if isinstance(inner, list)}
    rest = [inner for inner in value.values() if not isinstance(inner, list)]
    parts = any(name in _PARTS and all(map(_is_object, lists[name])) for name in lists)
    even = len({len(inner) for inner in lists.values()}) == 1
    # A call of an editor has settings beside its columns, a fact has texts beside its lists.
    called = "prompts" in lists
    return (
        any(map(is_known, lists))
        and (len(lists) > 1 or called)
        and (even or not parts)
        and not any(map(_is_dialogue, lists.values()))
        and (called or not any(isinstance(inner, str) for inner in rest))
    )


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_dialogue(items: list[Any]) -> bool:
    return bool(items) and all(
        _is_object(item) and {"role", "from"} & item.keys() for item in items
    )


def _turned(value: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The rows of a table that is written column by column."""
    lengths = {key: len(inner) for key, inner in value.items() if isinstance(inner, list)}
    count = max(lengths.values())
    for key, inner in value.items():
        lengths.update(_lengths(key, inner) if isinstance(inner, Mapping) else ())
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"'{shorten(key, 40)}' {length:,}" for key, length in lengths.items())
        raise FactsError(
            f"The columns in {name} are not of one length: {told}. Give each a value for every "
            "row; null stands for an empty field."
        )
    for place in range(count):
        yield {key: _at(inner, place) for key, inner in value.items() if inner is not None}


def _lengths(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """How long the lists are that a column holds in groups."""
    for key, inner in value.items():
        if isinstance(inner, list):
            yield f"{name}.{key}", len(inner)
        elif isinstance(inner, Mapping):
            yield from _lengths(f"{name}.{key}", inner)


def _at(value: Any, place: int) -> Any:
    """What a column, or the lists in its groups, hold for one row."""
    if isinstance(value, list):
        return value[place]
    if isinstance(value, Mapping):
        return {name: _at(inner, place) for name, inner in value.items()}
    return value


def _labelled(value: Mapping[str, Any]) -> Shape:
    """A table of objects in an object: rows by their labels, or columns by their names."""
    if any(any(map(is_known, value[heart])) for heart in _HEARTS & value.keys()):
        return Shape([object_row(1, value)])
    inner = list(dict.fromkeys(label for row in value.values() for label in row))
    rows_outside = any(map(is_known, inner)) or (
        not any(map(is_known, value)) and all(map(_is_number, value))
    )
    if rows_outside:
        return Shape(_numbered(value.values()), "rows by label")
    if any(map(is_known, value)) and inner:
        turned = ({name: column.get(label) for name, column in value.items()} for label in inner)
        return Shape(_numbered(turned), "columns by label")
    return Shape([object_row(1, value)])


def _is_number(label: Any) -> bool:
    return isinstance(label, str) and label.isdecimal()
