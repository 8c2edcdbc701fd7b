"""Mutated copies of files: bytes changed anywhere, JSON values and shapes changed into others.

Knows nothing about what the files hold. The same seed gives the same mutants.
"""

import copy
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.reshape import reshaped

__all__ = ["mutants"]

TOKENS = (
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r\n", b"[", b"]", b"{", b"}", b"\\", b"\0", b"|",
    b" | ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xc3", b"\xed\xa0\x80", b"null", b"NaN",
    b"-1e999", b"[" * 3000, b'{"a":' * 2000, b"9" * 5000, b'""', b'"' * 7, b"x" * 140_000,
    b'[{"prompt":', b"\\ud800", b"\\u0000", b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"prompt", b"=1+1",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1.5, "", " ", "x", "{}", "nq question: ", "a | b", "\ud800", "\x07", [], {},
    [[]], [None], [[["x"]]], [{}], {"str": 3}, {"prompt": []}, {"a": {"b": [1]}},
    ["x", {"prompt": 1}], "['a' 'b']", "array(['a'], dtype=object)", "{'str': 'a'}", "b'a'",
    "#REF!", "a_x000D_&lt;", float("nan"), 1890.0, 10**30, "[" * 200, "['a'",
    {"prompt": ["x"], "answer": []},
)  # fmt: skip


def mutants(
    samples: Mapping[str, bytes], count: int, rng: random.Random
) -> Iterator[tuple[str, bytes]]:
    """Yields (name of the sample, mutated bytes)."""
    names = list(samples)
    for number in range(count):
        name = names[number % len(names)]
        content, other = samples[name], samples[rng.choice(names)]
        if name.endswith((".json", ".jsonl")) and rng.random() < 0.7:
            value = _changed_values(_value(content), rng) if rng.random() < 0.6 else _value(content)
            plain = rng.random() < 0.4
            yield name, json.dumps(value).encode() if plain else reshaped(value, rng)
        elif name.endswith((".gz", ".zip", ".xlsx")) and rng.random() < 0.6:
            yield name, _changed_inside(name, content, other, rng)
        else:
            yield name, _changed_bytes(content, other, rng)


def _changed_bytes(content: bytes, other: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        content = rng.choice(_CHANGES)(content, other, rng)
    return content


def _place(content: bytes, rng: random.Random) -> int:
    return rng.randint(0, len(content))


def _flip(content: bytes, _: bytes, rng: random.Random) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]


def _cut(content: bytes, _: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + rng.choice((1, 5, 50, 10**6)) :]


def _repeat(content: bytes, _: bytes, rng: random.Random) -> bytes:
    at, length = _place(content, rng), rng.choice((1, 10, 200))
    return content[:at] + content[at : at + length] * rng.choice((2, 3, 20)) + content[at:]


def _insert(content: bytes, _: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.choice(TOKENS) + content[at:]


def _noise(content: bytes, _: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.randbytes(rng.randint(1, 30)) + content[at:]


def _splice(content: bytes, other: bytes, rng: random.Random) -> bytes:
    return content[: _place(content, rng)] + other[_place(other, rng) :]


def _recode(content: bytes, _: bytes, rng: random.Random) -> bytes:
    encoding = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"))
    return content.decode("utf-8", "replace").encode(encoding)


_Change = Callable[[bytes, bytes, random.Random], bytes]
_CHANGES: tuple[_Change, ...] = (_flip, _flip, _cut, _repeat, _insert, _insert, _noise, _splice,
                                 _recode)  # fmt: skip


def _changed_inside(name: str, content: bytes, other: bytes, rng: random.Random) -> bytes:
    """The archive with something in it changed, and packed again without a mistake."""
    if name.endswith(".gz"):
        return gzip.compress(_changed_bytes(gzip.decompress(content), other, rng))
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for entry in names:
            inside = old.read(entry)
            if entry == chosen:
                inside = _changed_bytes(inside, other, rng)
            new.writestr(entry, inside)
    return packed.getvalue()


def _value(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return [json.loads(line) for line in content.splitlines() if line.strip()]


def _changed_values(value: Any, rng: random.Random) -> Any:
    """The JSON with some values replaced by others, or taken away."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        places = list(_places(value))
        if not places:
            break
        holder, key = rng.choice(places)
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(rng.choice(VALUES))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields (holder, key or index) of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)
