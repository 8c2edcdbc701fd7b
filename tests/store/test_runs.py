"""Runs: deleted and brought back, compared, and what a patch's file says of itself."""

import json
import math
from pathlib import Path

import pytest

from tests.patches import sound_record
from workbench.facts import Fact
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.model.patch_record import FORMAT
from workbench.store import Library, Store
from workbench.store.patch_header import read_patch_header

FACTS = [Fact(f"prompt {n}", "x") for n in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.facts.add(FACTS, "file")
    return store


def finished(store: Store, learned: list[bool], answers: list[str]) -> int:
    job = store.jobs.submit("edit")
    run = store.runs.begin(job, "builtin", EditSettings(), store.facts.enabled())
    ids = [row.id for row in store.facts.enabled()]
    store.runs.set_learned(run, zip(ids, learned, strict=True))
    store.runs.set_answers(
        run, [(fact, "old", answer) for fact, answer in zip(ids, answers, strict=True)]
    )
    store.runs.end(run, "done", {"epochs": 2, "losses": [1.0, 0.1]})
    patch = store.runs.patch_folder(run)
    patch.mkdir(parents=True)
    (patch / "patch.safetensors").write_bytes(b"weights")
    return run


def test_a_deleted_run_comes_back_with_its_patch_until_another_is_deleted(store: Store) -> None:
    first, second, third = (finished(store, [True] * 4, ["x"] * 4) for _ in range(3))
    before = store.version("runs")
    store.delete_run(first)
    assert store.version("runs") != before
    assert [run.id for run in store.runs.all()] == [third, second]
    hidden = store.runs.hidden()
    assert hidden is not None and hidden.id == first
    store.runs.unhide()
    assert [run.id for run in store.runs.all()] == [third, second, first]
    store.delete_run(first)
    store.delete_run(third)
    newest = store.runs.newest()
    assert newest is not None and newest.id == second
    assert not store.runs.folder(first).exists()
    assert (store.runs.patch_folder(third) / "patch.safetensors").exists()
    store.runs.remove_hidden()
    assert store.runs.hidden() is None
    assert not store.runs.folder(third).exists()


def test_two_runs_differ_in_what_they_learned_and_answer(store: Store) -> None:
    first = finished(store, [True, True, False, False], ["x", "x", "y", "z"])
    second = finished(store, [True, False, True, False], ["x", "y", "x", "z"])
    pair = store.runs.pair(first, second)
    assert pair.shared == 4
    assert [fact.prompt for fact in pair.learned_by_first(50).facts] == ["prompt 1"]
    (only,) = pair.learned_by_second(50).facts
    assert (only.prompt, only.target_new, only.first, only.second) == ("prompt 2", "x", "y", "x")
    differ = pair.answered_differently(1)
    assert (differ.number, len(differ.facts)) == (2, 1)


def test_a_fact_compiled_with_another_answer_is_not_compared(store: Store) -> None:
    first = finished(store, [True] * 4, ["x"] * 4)
    row = store.facts.enabled()[0]
    store.facts.change(row.id, Fact(row.fact.prompt, "another"))
    second = finished(store, [False] * 4, ["y"] * 4)
    pair = store.runs.pair(first, second)
    assert pair.shared == 3
    assert pair.learned_by_first(50).number == 3


def test_the_losses_of_a_run_that_goes_on_are_those_of_its_epochs(store: Store) -> None:
    job = store.jobs.submit("edit")
    run = store.runs.begin(job, "builtin", EditSettings(), store.facts.enabled())
    store.runs.add_events(run, [events.EpochDone(n, 9, 1 / n, 0.0, 1.0) for n in (1, 2, 4)])
    assert store.runs.losses(store.runs.get(run)) == [1.0, 0.5, 0.25]


def test_a_loss_that_went_astray_hides_no_other(store: Store) -> None:
    job = store.jobs.submit("edit")
    run = store.runs.begin(job, "builtin", EditSettings(), store.facts.enabled())
    store.runs.add_events(run, [events.EpochDone(1, 9, 2.0, 0.0, 1.0)])
    store.runs.add_events(run, [events.EpochDone(2, 9, math.nan, 0.0, 1.0)])
    first, second = store.runs.losses(store.runs.get(run))
    assert first == 2.0 and math.isnan(second)


def test_what_a_run_did_to_one_fact_is_found(store: Store) -> None:
    run = finished(store, [True, False, True, True], ["x", "y", "x", "x"])
    outcome = store.runs.outcome(run, 2)
    assert outcome is not None
    assert (outcome.learned, outcome.before, outcome.after) == (False, "old", "y")
    assert store.runs.outcome(run, 99) is None


def test_a_copied_session_keeps_its_patches(tmp_path: Path) -> None:
    library = Library(tmp_path / "sessions")
    original = library.create("One")
    original.facts.add(FACTS, "file")
    run = finished(original, [True] * 4, ["x"] * 4)
    copied = library.duplicate(original.id)
    assert (copied.runs.patch_folder(run) / "patch.safetensors").read_bytes() == b"weights"


def test_a_patch_says_its_size_shapes_and_versions_without_being_loaded(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": FORMAT, "patch": json.dumps(sound_record("a.weight"))},
        "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    }
    written = json.dumps(header).encode()
    file = tmp_path / "patch.safetensors"
    file.write_bytes(len(written).to_bytes(8, "little") + written + bytes(24))
    found = read_patch_header(tmp_path)
    assert found is not None
    assert found.tensors == {"a.weight": "2 × 3 F32"}
    assert found.versions == {"torch": "2.0"} and found.bytes == file.stat().st_size


def a_header(text: str) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"weights",
        b"\xff" * 40,
        a_header("{}"),
        a_header('{"__metadata__": 3}'),
        a_header("[" * 100_000),
        a_header(json.dumps({"__metadata__": {"format": FORMAT, "patch": "[" * 100_000}})),
        a_header(json.dumps({"__metadata__": {"format": FORMAT, "patch": "{}"}})),
    ],
    ids=range(8),
)
def test_a_damaged_patch_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "patch.safetensors").write_bytes(content)
    assert read_patch_header(tmp_path) is None
    assert read_patch_header(tmp_path / "nowhere") is None
