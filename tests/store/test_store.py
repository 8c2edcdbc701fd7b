"""A session: its queue, runs and settings outlive the process, and old formats are brought up."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.summary import SUMMARY
from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.methods import events
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.page.sidebar.session_card import draw_card
from workbench.store.found import Found
from workbench.store.library import Library
from workbench.store.lock import FolderLock
from workbench.store.schema import SCHEMA_VERSION
from workbench.store.store import DATABASE_NAME, Store
from workbench.work.records import as_data


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def begun(store: Store) -> tuple[int, int]:
    """A job that runs, and the run it has begun on two facts."""
    store.facts.add([Fact("A is", "B"), Fact("C is", "D")], "file")
    job = store.jobs.submit("edit")
    assert store.jobs.claim(job, "worker")
    return job, store.runs.begin(job, "builtin", EditSettings(at=("6",)), store.facts.enabled())


def test_a_job_is_taken_once(store: Store) -> None:
    job = store.jobs.submit("edit", {"settings": {}})
    assert store.jobs.claim(job, "one")
    assert not store.jobs.claim(job, "two")


def test_a_waiting_job_ends_at_once_when_cancelled(store: Store) -> None:
    job = store.jobs.submit("edit")
    store.jobs.cancel(job)
    assert store.jobs.get(job).state == "cancelled"
    assert not store.jobs.claim(job, "worker")


def test_a_running_job_is_told_to_stop_and_ends_by_itself(store: Store) -> None:
    job = store.jobs.submit("edit")
    store.jobs.claim(job, "worker")
    assert not store.jobs.cancel_asked(job)
    store.jobs.cancel(job)
    assert store.jobs.get(job).state == "running"
    assert store.jobs.cancel_asked(job)


def test_an_ended_job_never_changes_again(store: Store) -> None:
    job = store.jobs.submit("load")
    store.jobs.claim(job, "worker")
    assert store.jobs.finish(job, "failed", error="no such model")
    assert not store.jobs.finish(job, "done")
    store.jobs.report(job, 0.5, "still here")
    assert store.jobs.get(job).state == "failed"
    assert store.jobs.get(job).line == ""


def test_a_lost_worker_interrupts_what_ran_and_leaves_what_waits(store: Store) -> None:
    job, run = begun(store)
    waiting = store.jobs.submit("ask", {"probes": []})
    store.abandon_jobs("The worker was killed.")
    assert store.jobs.get(job).state == "interrupted"
    assert store.jobs.get(job).error == "The worker was killed."
    assert store.runs.get(run).can_resume
    assert store.jobs.get(waiting).state == "queued"


def test_a_job_that_was_killed_because_of_cancel_counts_as_cancelled(store: Store) -> None:
    job, run = begun(store)
    store.jobs.cancel(job)
    store.abandon_jobs("The worker was killed.")
    assert store.jobs.get(job).state == "cancelled"
    assert store.runs.get(run).state == "stopped"


def test_events_come_back_as_they_were_said(store: Store) -> None:
    _, run = begun(store)
    said = [
        events.EpochDone(1, 2, 0.5, 0.25, 1.5),
        events.Finished("converged", 2, 8, 3.0, (0.5, 0.1)),
    ]
    store.runs.add_events(run, said)
    assert store.runs.events(run, events.EpochDone) == said[:1]
    assert store.runs.events(run, events.Finished) == said[1:]


def test_what_a_run_learned_counts_until_the_answer_is_changed(store: Store) -> None:
    _, run = begun(store)
    first, second = (row.id for row in store.facts.enabled())
    store.runs.set_learned(run, [(first, True), (second, False)])
    assert [row.learned for row in store.facts.page(0, 50, Found(run=run))] == [True, False]
    store.facts.change(first, Fact("A is", "other"))
    assert [row.learned for row in store.facts.page(0, 50, Found(run=run))] == [None, False]
    assert store.runs.learned(run) == (1, 2)


def test_deleting_the_run_that_is_shown_shows_the_base_again(store: Store) -> None:
    _, run = begun(store)
    with pytest.raises(SessionError, match="still going"):
        store.delete_run(run)
    store.runs.end(run, "done", {"epochs": 1})
    store.settings.set("shown_run", run)
    store.delete_run(run)
    assert store.settings.shown_run is None
    assert store.runs.all() == []


def test_a_conversation_goes_on_without_a_run_that_is_deleted(store: Store) -> None:
    _, run = begun(store)
    store.runs.end(run, "done", {"epochs": 1})
    talk, other = (store.talks.begin("tiny", chat=False, runs=[n, run, run + 9]).id for n in (7, 8))
    apart = store.talks.begin("tiny", chat=False, runs=[run + 9])
    store.delete_run(run)
    assert store.talks.get(talk).runs == (7, run + 9)
    assert store.talks.get(other).runs == (8, run + 9)
    assert store.talks.get(apart.id) == apart


def test_another_model_forgets_what_belonged_to_the_first(store: Store) -> None:
    store.settings.keep_summary(SUMMARY)
    assert store.settings.summary == SUMMARY
    store.settings.set("edit", EditSettings(at=("6",)).as_dict())
    store.settings.choose_model(ModelChoice("some/model", "cpu"))
    assert store.settings.model == ModelChoice("some/model", "cpu")
    assert not store.settings.summary
    assert store.settings.edit == EditSettings()


def test_a_summary_of_before_presets_had_shapes_is_read(store: Store) -> None:
    kept = as_data(SUMMARY)
    kept["preset"] = {
        name: kept["preset"][name] for name in ("name", "at", "learning_rate", "source", "is_guess")
    }
    store.settings.set("summary", kept)
    assert store.settings.summary == SUMMARY


@pytest.mark.parametrize(
    "kept", [None, {}, [], "x", {**as_data(SUMMARY), "layers": "8"}, {"layers": 8}]
)
def test_a_summary_that_cannot_be_read_counts_as_none(store: Store, kept: Any) -> None:
    store.settings.set("summary", kept)
    assert store.settings.summary is None


def test_an_estimate_holds_for_one_run_alone(store: Store) -> None:
    store.facts.add([Fact("new", "x")], "typed")
    store.settings.keep_summary(SUMMARY)
    about = store.estimate_key()
    assert about is not None and store.estimate() is None
    plan = events.Started(1, ("6.mlp",), 0.005, 1, 40, 40, 100, 1 << 20, 6)
    for made in (RunEstimate(about, plan, 1.5, 3), RunEstimate(about, error="There is no 77.")):
        store.keep_estimate(made)
        assert store.estimate() == made
    # As it was kept before it was a record of its own: it is made anew.
    store.settings.set("estimate", {"about": about, "facts": 1, "seconds": 1.5, "measured": 3})
    assert store.estimate() is None
    store.keep_estimate(RunEstimate(about, plan))
    store.settings.set("edit", EditSettings(epochs=3).as_dict())
    assert store.estimate() is None


@pytest.mark.parametrize(
    ("change", "table"),
    [
        (lambda s: s.facts.add([Fact("new", "x")], "typed"), "facts"),
        (lambda s: s.facts.enable([1], False), "facts"),
        (lambda s: s.jobs.submit("load"), "jobs"),
        (lambda s: s.probes.add("What?"), "probes"),
        (lambda s: s.say(s.talks.begin("builtin", chat=True).id, "Hello"), "talks"),
        (lambda s: s.settings.set("name", "new"), "settings"),
        (lambda s: s.runs.set_metrics(1, {"after": {}}), "runs"),
        (lambda s: s.runs.set_answers(1, [(1, "a", "b")]), "runs"),
    ],
)
def test_every_change_changes_its_version(store: Store, change: object, table: str) -> None:
    begun(store)
    before = store.version(table)
    change(store)  # type: ignore[operator]
    assert store.version(table) != before
    assert store.version(table) == Store(store.folder).version(table)


def test_a_session_of_a_newer_workbench_is_refused_and_left_alone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    good, newer = library.create("good"), library.create("newer")
    with sqlite3.connect(newer.folder / DATABASE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    fresh = Library(tmp_path)
    with pytest.raises(SessionError, match="newer workbench"):
        fresh.open(newer.id)
    assert [store.id for store in fresh.sessions()] == [good.id]
    assert "newer workbench" in fresh.unreadable()[newer.id]


def test_a_session_whose_file_is_damaged_is_shown_with_its_reason(tmp_path: Path) -> None:
    library = Library(tmp_path)
    good, broken = library.create("good"), library.create("broken")
    broken.close()
    for path in broken.folder.glob(f"{DATABASE_NAME}*"):
        path.write_bytes(b"no database " * 400)
    fresh = Library(tmp_path)
    assert [store.id for store in fresh.sessions()] == [good.id]
    assert list(fresh.unreadable()) == [broken.id]
    card = str(draw_card(fresh, good.id))
    assert broken.id in card and "file is not a database" in card


def test_the_first_visit_finds_a_session_with_sample_facts(tmp_path: Path) -> None:
    store = Library(tmp_path).latest()
    assert store.facts.count(enabled=True) == 20
    assert store.settings.model == ModelChoice("builtin")
    assert Library(tmp_path).latest().id == store.id


def test_a_session_cannot_be_named_by_a_path(tmp_path: Path) -> None:
    library = Library(tmp_path / "inner")
    Store(tmp_path)
    with pytest.raises(SessionError, match="not there"):
        library.open("..")


def test_one_workbench_at_a_time_has_the_folder(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "lock")
    with pytest.raises(SessionError, match="Another workbench"):
        FolderLock(tmp_path / "lock")
    lock.release()
    FolderLock(tmp_path / "lock").release()
