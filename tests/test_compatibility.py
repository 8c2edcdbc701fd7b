"""What version 0.1.0 wrote is read, shown and continued: sessions, patches, checkpoints, studies.

The files in `tests/old/0.1.0` were written by that version itself. The tests work on copies.
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.conftest import run_command
from workbench.facts import read_facts
from workbench.measure.probe import probe
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.search.recommend import recommend
from workbench.search.score import ScoreWeights
from workbench.store import Library, Store
from workbench.worker.task import Cancelled, Task
from workbench.worker.workshop import Workshop

pytestmark = pytest.mark.slow

OLD = Path(__file__).parent / "old" / "0.1.0"
FACTS = OLD / "facts.csv"
AT = ("7.input_layernorm", "7.post_attention_layernorm")
AUSTRALIA = "The capital of Australia is"
ROLES = {"prompt": 4, "rephrase": 12, "locality": 8}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The session of 0.1.0, brought into a library of today and opened."""
    library = Library(tmp_path / "sessions")
    return library.enter(library.bring_in(OLD / "session.zip").id)


def test_its_session_shows_its_facts(store: Store) -> None:
    assert store.settings.name == "Kept from 0.1.0"
    assert (store.facts.count(), store.facts.count(enabled=True)) == (20, 4)
    assert [row.fact for row in store.facts.enabled()] == list(read_facts(FACTS))


def test_its_session_shows_its_runs_with_their_losses_and_outcomes(store: Store) -> None:
    stopped, done = store.runs.all()
    assert (stopped.id, stopped.state, stopped.can_resume) == (2, "stopped", True)
    assert (done.id, done.state, done.can_resume) == (1, "done", False)
    assert stopped.at == done.at == AT
    assert [len(store.runs.losses(run)) for run in (done, stopped)] == [6, 4]
    assert store.runs.losses(stopped)[0] == pytest.approx(7.824958562850952)
    settings = stopped.settings.as_dict()
    assert (settings["epochs"], settings["seed"]) == (100_000, 3)
    assert done.settings == EditSettings(
        at=AT, learning_rate=0.05, batch_size=1, epochs=6, recipe="published"
    )
    assert done.metrics["after"]["locality_strict"] == 1.0
    assert store.runs.learned(1) == (0, 4)
    outcome = store.runs.outcomes(1, 0, 10)[0]
    assert (outcome.prompt, outcome.before, outcome.after) == (AUSTRALIA, "Canberra", "Canberra")


def test_its_session_shows_its_scan_its_sweep_and_what_that_recommends(store: Store) -> None:
    scan = store.profiles.latest_scan("builtin")
    assert scan is not None and len(scan.result.rows) == 56
    (sweep,) = store.profiles.sweeps("builtin")
    assert (sweep.state, sweep.plan.full_epochs) == ("done", 100)
    assert [(row.at, row.limit) for row in sweep.rows] == [
        ("6.input_layernorm", 5),
        ("7.input_layernorm", 5),
        ("7.input_layernorm", 100),
    ]
    assert store.settings.get("sweep_weights") == [1, 1, 2]
    found = recommend(sweep.rows, weights=ScoreWeights(1, 1, 2))
    assert found is not None and found.at == "7.input_layernorm"


def test_its_session_shows_its_evaluations_question_by_question(store: Store) -> None:
    kept = store.evaluations.latest(1)
    assert kept is not None
    assert (kept.settings.health, kept.settings.written) == (True, 4)
    assert kept.report["evaluation"]["counts"]["facts"] == 4
    assert "health" in kept.report
    rows, total = store.evaluations.rows(kept.id, "all", "", 0, 100)
    asked = [row.verdicts for row in rows]
    assert Counter(question.role for question in asked) == ROLES
    assert (len(rows), total) == (24, 24)
    assert (asked[0].prompt, asked[0].wanted) == (AUSTRALIA, "Melbourne")
    assert asked[0].said_before == asked[0].said_after == "Canberra"
    assert store.evaluations.counts(kept.id) == {"all": 24, "failed": 16, **ROLES}


def test_its_session_shows_its_study(store: Store) -> None:
    kept = store.studies.latest("pipelines")
    assert kept is not None and kept.state == "done"
    assert len(kept.result.trials) == 10
    record = kept.record()
    assert [row["label"] for row in record["rows"]] == [
        "depth-first sample-wise",
        "depth-first mini-batch",
        "breadth-first sample-wise",
        "breadth-first mini-batch",
        "LocFT-BF",
    ]
    assert kept.result.sentences()


def test_its_session_shows_what_was_asked_and_pinned(store: Store) -> None:
    (pinned,) = store.probes.pinned()
    assert pinned.prompt == AUSTRALIA and pinned.run == 1
    assert pinned.before is not None and pinned.after is not None
    assert (pinned.before.text, len(pinned.before.top)) == ("Canberra", 5)
    assert [answer.epoch for answer in store.probes.pinned_answers(1)] == list(range(7))
    cards = store.probes.recent(10)
    assert [row.role for row in cards[0]] == ["prompt", *["rephrase"] * 3, *["locality"] * 2]


def test_its_session_shows_its_settings(store: Store) -> None:
    assert store.settings.edit == EditSettings(
        at=AT, learning_rate=0.05, epochs=6, recipe="published"
    )
    assert (store.settings.model.name, store.settings.shown_run) == ("builtin", 1)
    (sweep,) = store.profiles.sweeps("builtin")
    assert (sweep.settings.layers, sweep.settings.modules) == ((6, 7), ("input_layernorm",))
    study = store.studies.latest("pipelines")
    assert study is not None
    settings = study.result.settings
    assert (settings.facts, settings.at, settings.written) == (3, "4.input_layernorm", 2)


def test_its_stopped_run_goes_on_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = store.resume(2)
    assert store.jobs.claim(job, "test")
    add = store.runs.add_events

    def add_and_cancel(run: int, said: Any) -> None:
        add(run, said)
        if len(store.runs.events(2, events.EpochDone)) >= 8:
            store.jobs.cancel(job)

    monkeypatch.setattr(store.runs, "add_events", add_and_cancel)
    with pytest.raises(Cancelled):
        Workshop().do(Task(store, store.jobs.get(job)))
    assert store.runs.events(2, events.Started)[-1].resumed_epoch == 4
    epochs = [event.epoch for event in store.runs.events(2, events.EpochDone)]
    assert epochs == list(range(1, len(epochs) + 1)) and len(epochs) >= 8
    losses = store.runs.losses(store.runs.get(2))
    assert losses == sorted(losses, reverse=True)
    assert store.runs.get(2).can_resume


def test_its_patch_is_loaded_and_applied(store: Store) -> None:
    model = load_model("builtin", device="cpu")
    patch = Patch.load(OLD / "patch")
    assert set(patch.tensors) == {f"model.layers.{name}.weight" for name in AT}
    kept = Patch.load(store.runs.patch_folder(1))
    assert all(torch.equal(patch.tensors[name], kept.tensors[name]) for name in patch.tensors)
    (found,) = probe(model, [AUSTRALIA], patch)
    shown = store.probes.pinned()[0].after
    assert found.after is not None and shown is not None
    assert found.after.text == shown.text
    assert found.after.top[0][1] == pytest.approx(shown.top[0][1], abs=1e-4)


def test_its_checkpoint_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    shutil.copy(OLD / "resumed.checkpoint.safetensors", tmp_path / "new.checkpoint.safetensors")
    at = ("--at", AT[1], "--at", AT[0])
    how = ("--lr", 0.05, "--epochs", 8, "--batch-size", 2, "--stop-loss", 0, "--skip-loss", 0)
    ran = run_command("edit", FACTS, "--out", tmp_path / "new", *at, *how, "--resume", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["epochs"] == 8
    new, old = (Patch.load(place).tensors for place in (tmp_path / "new", OLD / "resumed"))
    assert new.keys() == old.keys()
    for name in old:
        # Bit for bit on one machine only: another processor rounds its sums in another order.
        torch.testing.assert_close(new[name], old[name], rtol=1e-5, atol=1e-5)
    assert not list(tmp_path.glob("*.checkpoint*"))


def without_head(path: Path) -> list[Any]:
    """The records of a file that a sweep or a study goes on from, but for the first line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def test_its_sweep_is_not_done_again(tmp_path: Path) -> None:
    kept = tmp_path / "sweep"
    shutil.copytree(OLD / "sweep", kept)
    places = ("--layers", "6,7", "--modules", "input_layernorm")
    how = ("--sample", 4, "--epochs", 5, "--full-runs", 1)
    ran = run_command("sweep", FACTS, "--out", kept, *places, *how, "--json")
    assert ran.code == 0, ran.err
    old = without_head(OLD / "sweep" / "sweep.jsonl")
    assert without_head(kept / "sweep.jsonl") == old
    found = ran.json
    told = [(row["at"], row["learning_rate"], row["epochs"], row["seconds"]) for row in old]
    assert told == [
        (row["at"], row["learning_rate"], row["epochs"], row["seconds"]) for row in found["rows"]
    ]
    assert found["recommended"]["at"] == "7.input_layernorm"


def test_its_study_is_not_done_again(tmp_path: Path) -> None:
    kept = tmp_path / "study"
    shutil.copytree(OLD / "study", kept)
    places = ("--at", "4.input_layernorm", "--locft-at", "7.input_layernorm")
    how = ("--facts", 3, "--passes", 2, "--lr", 0.01, "--lr", 0.05, "--written", 2)
    ran = run_command("study", "pipelines", FACTS, "--out", kept, *how, *places, "--json")
    assert ran.code == 0, ran.err
    old = without_head(OLD / "study" / "study.jsonl")
    assert without_head(kept / "study.jsonl") == old
    assert ran.json["finished"] and len(ran.json["rows"]) == 5
    times = {(trial["label"], trial["seconds"]) for trial in old}
    assert {(row["label"], row["seconds"]) for row in ran.json["rows"]} <= times
    again = run_command("study", "pipelines", FACTS, "--settings", OLD / "study" / "study.yaml")
    assert again.code == 0 and "depth-first sample-wise" in again.out
