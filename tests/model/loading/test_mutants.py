"""Whatever stands in a model's files, it is loaded or refused in one line."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.loading.conftest import Copies
from workbench.errors import ModelError
from workbench.model.load import load_model

FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
WRONG: list[Any] = [None, True, 0, -1, 10**9, 10**30, 1.5, float("inf"), "", "x", "\x00", [], {}]
WRONG += [[None], ["<pad>"], {"a": 1}, json.loads("[" * 300 + "]" * 300)]


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where there is a value inside a value; of a long list, the first few."""
    inside: Any = {}
    if isinstance(value, dict):
        inside = value
    elif isinstance(value, list):
        inside = dict(enumerate(value[:5]))
    for key, part in list(inside.items())[:40]:
        yield (*way, key)
        yield from places(part, (*way, key))


def mutated(written: Any, way: tuple[str | int, ...], value: Any) -> Any:
    """The same with another value in one place."""
    written = copy.deepcopy(written)
    holder = written
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    return written


@pytest.fixture(scope="module")
def folder(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Copies(original, tmp_path_factory.mktemp("mutants"))()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_value_changed_anywhere_is_loaded_or_refused_in_one_line(
    data: st.DataObject, name: str, folder: Path
) -> None:
    kept = (folder / name).read_bytes()
    written = json.loads(kept)
    way = data.draw(st.sampled_from(list(places(written))))
    changed = mutated(written, way, data.draw(st.sampled_from(WRONG)))
    try:
        (folder / name).write_text(json.dumps(changed), encoding="utf-8")
        load_model(str(folder), device="cpu")
    except ModelError as refused:
        assert len(str(refused).splitlines()) == 1
    finally:
        (folder / name).write_bytes(kept)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*FILES, "model.safetensors"])
@settings(max_examples=25)
@given(place=st.integers(0, 1500), byte=st.integers(0, 255), cut=st.booleans())
def test_a_byte_changed_or_the_rest_cut_off_is_loaded_or_refused_in_one_line(
    place: int, byte: int, cut: bool, name: str, folder: Path
) -> None:
    kept = (folder / name).read_bytes()
    changed = kept[:place] + bytes([byte]) + (b"" if cut else kept[place + 1 :])
    try:
        (folder / name).write_bytes(changed)
        load_model(str(folder), device="cpu")
    except ModelError as refused:
        assert len(str(refused).splitlines()) == 1
    finally:
        (folder / name).write_bytes(kept)
