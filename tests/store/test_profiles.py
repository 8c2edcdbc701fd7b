"""Scans and sweeps of a session: kept as they come, reused while they hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import read_facts
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.paths import assets_dir
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.worker.layers import scan_layers, sweep_layers
from workbench.worker.task import Cancelled, Task

pytestmark = pytest.mark.slow

SHORT = SweepSettings(layers=(6, 7), modules=("mlp.down_proj",), sample=8, epochs=2, full_runs=0)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.facts.add(read_facts(assets_dir() / "samples" / "facts_20.csv"), "samples")
    return store


def claimed(store: Store, kind: str, settings: SweepSettings = SHORT) -> Task:
    """A job that was just claimed by a worker."""
    job = store.jobs.submit(kind, {"settings": settings.as_dict()})  # type: ignore[arg-type]
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def test_a_scan_is_kept_with_a_row_for_every_matrix(store: Store, model: LanguageModel) -> None:
    before = store.version("profiles")
    scan_layers(claimed(store, "scan"), model)
    kept = store.profiles.latest_scan("builtin")
    assert kept is not None and kept.result.sample == 8
    assert len(kept.result.rows) == 8 * 7
    assert store.version("profiles") != before
    assert store.profiles.latest_scan("another model") is None


def test_a_sweep_keeps_its_rows_as_they_come(store: Store, model: LanguageModel) -> None:
    task = claimed(store, "sweep")
    result = sweep_layers(task, model)
    (kept,) = store.profiles.sweeps("builtin")
    assert (kept.id, kept.state, kept.job) == (result["sweep"], "done", task.job.id)
    assert [row.at for row in kept.rows] == ["6.mlp.down_proj", "7.mlp.down_proj"]
    assert kept.settings == SHORT and kept.plan.sample == 8
    assert all(len(row.reliable) == 8 for row in kept.rows)


def test_what_is_known_is_not_tried_again(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_layers(claimed(store, "sweep"), model)
    wider = replace(SHORT, layers=(5, 6, 7))
    sweep_layers(claimed(store, "sweep", wider), model)
    newest, first = store.profiles.sweeps("builtin")
    assert newest.plan.kept == 2
    assert [row.at.split(".")[0] for row in newest.rows] == ["5", "6", "7"]
    assert newest.rows[1:] == first.rows
    # Other facts make other rows.
    store.facts.delete([next(iter(store.facts)).id])
    sweep_layers(claimed(store, "sweep"), model)
    assert store.profiles.sweeps("builtin")[0].plan.kept == 0


def test_a_cancelled_sweep_keeps_its_rows_and_goes_on_from_them(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.worker.task.REPORT_EVERY", 0.0)
    task = claimed(store, "sweep")
    keep = store.profiles.add_row

    def cancel_after_one(sweep: int, row: object) -> None:
        keep(sweep, row)  # type: ignore[arg-type]
        store.jobs.cancel(task.job.id)

    monkeypatch.setattr(store.profiles, "add_row", cancel_after_one)
    with pytest.raises(Cancelled):
        sweep_layers(task, model)
    (stopped,) = store.profiles.sweeps("builtin")
    assert (stopped.state, len(stopped.rows)) == ("stopped", 1)
    monkeypatch.setattr(store.profiles, "add_row", keep)
    sweep_layers(claimed(store, "sweep"), model)
    whole = store.profiles.sweeps("builtin")[0]
    assert (whole.state, whole.plan.kept, len(whole.rows)) == ("done", 1, 2)


def test_a_sweep_whose_worker_died_is_interrupted(store: Store, model: LanguageModel) -> None:
    task = claimed(store, "sweep")
    sweep_layers(task, model)
    kept = store.profiles.sweeps("builtin")[0]
    store.profiles.begin_sweep(task.job.id, "builtin", SHORT, {"a": 1}, kept.plan, list(kept.rows))
    with pytest.raises(SessionError, match="still going"):
        store.profiles.delete(kept.id + 1)
    store.abandon_jobs("The worker died.")
    broken = store.profiles.sweeps("builtin")[0]
    assert (broken.state, len(broken.rows)) == ("interrupted", 2)
    store.profiles.delete(broken.id)
    assert [sweep.id for sweep in store.profiles.sweeps("builtin")] == [kept.id]


def test_without_ticked_facts_there_is_nothing_to_try(store: Store, model: LanguageModel) -> None:
    store.facts.delete([row.id for row in store.facts])
    for work, kind in ((scan_layers, "scan"), (sweep_layers, "sweep")):
        with pytest.raises(SessionError, match="Tick at least one"):
            work(claimed(store, kind), model)
