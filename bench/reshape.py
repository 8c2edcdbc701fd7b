"""JSON turned into the other shapes in which people save the same rows, and into nearly JSON.

Knows nothing about what the rows hold. The same seed gives the same shapes.
"""

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["reshaped"]

Row = dict[str, Any]

WRAPPERS = (
    "facts",
    "data",
    "train",
    "rows",
    "examples",
    "test",
    "edits",
    "x",
    "messages",
    "prompt",
)
COMMENTS = ("// x\n", "/* ] */", ",", "# x\n", " ")


def reshaped(value: Any, rng: random.Random) -> bytes:
    """A JSON value in another shape, as text.

    Args:
        value: what a sample holds.
        rng: chooses.
    """
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _turned(value, rng)
    for _ in range(rng.choice((0, 0, 1, 3))):
        _print_inside(value, rng)
    return _typed(value, rng).encode("utf-8", "surrogatepass")


def _turned(value: Any, rng: random.Random) -> Any:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    if rows and rng.random() < 0.8:
        return rng.choice(_TURNS)(rows, rng)
    return rng.choice(_ANY)(value, rng)


def _wrapped(rows: list[Row], rng: random.Random) -> Any:
    return {"version": 1, rng.choice(WRAPPERS): rows, rng.choice(WRAPPERS): rows[:1]}


def _viewer(rows: list[Row], rng: random.Random) -> Any:
    cut = ["prompt"] if rng.random() < 0.2 else []
    wrapped = [{"row_idx": i, "row": row, "truncated_cells": cut} for i, row in enumerate(rows)]
    return rng.choice((wrapped, {"features": [{"name": "prompt"}], "rows": wrapped}))


def _split(rows: list[Row], rng: random.Random) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[row.get(name) for name in names] for row in rows]
    if rng.random() < 0.2:
        rng.choice(cells).append("x")
    apart = {"columns": names, "index": list(range(len(rows))), "data": cells}
    return rng.choice(([names, *cells], apart, {"data": cells, "columns": names}))


def _schema(rows: list[Row], _: random.Random) -> Any:
    keys = {"fields": [{"name": "index", "type": "integer"}], "primaryKey": ["index"]}
    return {"schema": keys, "data": [{"index": i, **row} for i, row in enumerate(rows)]}


def _labelled(rows: list[Row], rng: random.Random) -> Any:
    label = rng.choice(("{}", "case-{}", "prompt-{}"))
    return {label.format(i): row for i, row in enumerate(rows)}


def _columns(rows: list[Row], rng: random.Random) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lists = {name: [row.get(name) for row in rows] for name in names}
    if names and rng.random() < 0.2:
        lists[rng.choice(names)].append(None)
    if rng.random() < 0.5:
        return lists
    return {name: {str(i): cell for i, cell in enumerate(cells)} for name, cells in lists.items()}


def _call(rows: list[Row], _: random.Random) -> Any:
    prompts = [row.get("prompt", "P") for row in rows]
    asked = {"group": {"prompt": prompts, "ground_truth": [1] * len(rows)}}
    return {"prompts": prompts, "target_new": ["A"] * len(rows), "locality_inputs": asked}


def _chats(rows: list[Row], rng: random.Random) -> Any:
    who, what, name = rng.choice(
        (("role", "content", "messages"), ("from", "value", "conversations"))
    )
    return [
        {name: [{who: "user", what: row.get("prompt")}, {who: "assistant", what: "A"}]}
        for row in rows
    ]


def _inside(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value:
        return rng.choice(list(value.values()))
    return rng.choice(value) if isinstance(value, list) and value else [value]


_TURNS: tuple[Callable[[list[Row], random.Random], Any], ...] = (
    _wrapped, _viewer, _split, _schema, _labelled, _columns, _call, _chats,
)  # fmt: skip
_ANY: tuple[Callable[[Any, random.Random], Any], ...] = (
    lambda value, rng: {rng.choice(WRAPPERS): value},
    lambda value, rng: [value],
    lambda value, rng: {"columns": value, "data": value},
    lambda value, rng: {"0": value, "1": value},
    _inside,
)


def _print_inside(value: Any, rng: random.Random) -> None:
    """Prints something inside into a text, as programs do that save a table."""
    for _ in range(rng.randint(1, 4)):
        if not isinstance(value, (dict, list)) or not value:
            return
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if rng.random() < 0.3 or not isinstance(inner, (dict, list)):
            value[key] = rng.choice(_PRINTS)(inner)
            return
        value = inner


_PRINTS: tuple[Callable[[Any], Any], ...] = (
    repr,
    lambda inner: repr([inner]),
    lambda inner: repr(inner).replace(", ", " "),
    lambda inner: f"array({[inner]!r}, dtype=object)",
    lambda inner: json.dumps(inner),
    lambda inner: repr(str(inner).encode("utf-8", "replace")),
    lambda inner: f"{inner}_x000D_&amp;",
    lambda inner: {"str": inner},
    lambda inner: "#N/A",
    lambda inner: float("nan"),
    lambda inner: 1890.50,
)


def _typed(value: Any, rng: random.Random) -> str:
    """The value as JSON, or as something that is nearly JSON."""
    if isinstance(value, list) and rng.random() < 0.2:
        return "\n".join(json.dumps(item) for item in value)
    if rng.random() < 0.1:
        return repr(value)
    text = json.dumps(value, indent=rng.choice((None, 1)))
    for _ in range(rng.choice((0, 0, 1, 4))):
        place = rng.choice([i for i, sign in enumerate(text) if sign in ",]}"] or [0])
        text = text[:place] + rng.choice(COMMENTS) + text[place:]
    return text
