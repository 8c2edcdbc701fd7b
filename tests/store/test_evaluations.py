"""Evaluations and studies in a session: kept by the worker, found again by the page."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capitals import capitals
from workbench.facts import Fact
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.verdicts import QuestionVerdicts, Verdict
from workbench.methods.locft_settings import EditSettings
from workbench.model.places import Places
from workbench.search.study_events import LocationChosen
from workbench.search.study_settings import StudySettings
from workbench.store import Library, Store
from workbench.store.jobs import Job
from workbench.worker.supervisor import Supervisor

pytestmark = pytest.mark.slow

PATIENCE = 600.0  # seconds; a safety net, no more
FACTS = capitals()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        library = Library(tmp_path_factory.mktemp("sessions"))
        supervisor = Supervisor(library)
        supervisor.start()
        yield library
        supervisor.stop()


@pytest.fixture
def store(library: Library) -> Store:
    store = library.create("test")
    store.facts.add(FACTS, "capitals.csv")
    return store


def ended(store: Store, job: int) -> Job:
    end = time.monotonic() + PATIENCE
    while store.jobs.get(job).is_open:
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return store.jobs.get(job)


def test_every_run_leaves_an_evaluation_with_a_row_for_every_question(store: Store) -> None:
    store.facts.add([Fact("The largest planet is", "Mars")], "typed")
    run = ended(store, store.jobs.submit("edit")).result["run"]
    kept = store.evaluations.latest(run)
    assert kept is not None and kept.settings == EvaluationSettings()
    assert kept.report["evaluation"]["after"] == store.runs.get(run).metrics["after"]
    groups = {group["by"] for group in kept.report["evaluation"]["groups"]}
    assert "source" in groups
    counts = store.evaluations.counts(kept.id)
    assert (counts["prompt"], counts["rephrase"], counts["locality"]) == (4, 3, 3)
    rows, total = store.evaluations.rows(kept.id, "rephrase", "", 0, 2)
    assert (len(rows), total) == (2, 3)
    found, total = store.evaluations.rows(kept.id, "all", "spain", 0, 50)
    assert total == len(found) == 2
    (fact,) = {row.fact for row in found}
    assert store.facts.get(fact).fact.subject == "Spain"


def test_an_evaluation_measures_what_was_asked_for(store: Store) -> None:
    run = ended(
        store, store.jobs.submit("edit", {"settings": EditSettings(epochs=2).as_dict()})
    ).result["run"]
    settings = EvaluationSettings(written=2, health=True, seed=1)
    job = store.jobs.submit("evaluate", {"run": run, "settings": settings.as_dict()})
    assert (ended(store, job).state, store.jobs.get(job).error) == ("done", "")
    kept = store.evaluations.latest(run)
    assert kept is not None and kept.settings == settings
    assert kept.report["evaluation"]["counts"]["generated_facts"] == 2
    assert kept.report["health"]["before"]["perplexity"] > 1
    assert "capability" not in kept.report
    failed, total = store.evaluations.rows(kept.id, "failed", "", 0, 50)
    assert total == store.evaluations.counts(kept.id)["failed"] == len(failed)
    assert all(row.verdicts.failed for row in failed)


def test_the_base_alone_can_be_evaluated_on_the_ticked_facts(store: Store) -> None:
    job = ended(store, store.jobs.submit("evaluate", {"run": None}))
    assert job.state == "done"
    kept = store.evaluations.latest(None)
    assert kept is not None and kept.report["evaluation"]["after"] is None
    assert kept.report["evaluation"]["before"]["locality_right_strict"] == 1.0


def test_a_study_is_kept_as_it_comes_and_an_equal_one_repeats_nothing(store: Store) -> None:
    settings = StudySettings(passes=2, learning_rates=(5e-3,), locft_at="6.mlp.down_proj")
    params = {"settings": settings.as_dict()}
    first = ended(store, store.jobs.submit("study", params))
    assert (first.state, first.error) == ("done", "")
    study = store.studies.latest("pipelines")
    assert study is not None and study.state == "done"
    assert len(study.result.trials) == 5
    record = study.record()
    assert record["finished"] and len(record["rows"]) == 5
    ended(store, store.jobs.submit("study", params))
    again = store.studies.latest("pipelines")
    assert again is not None and again.id != study.id
    assert again.result == study.result


def test_failures_stand_first_and_reading_them_back_changes_nothing(tmp_path: Path) -> None:
    store = Library(tmp_path).create("test")
    right, wrong = Verdict(True, 1.0, True), Verdict(False, 0.25, None)
    rows = [
        QuestionVerdicts(0, "prompt", "one", "x", wrong, right, said_after="x"),
        QuestionVerdicts(1, "prompt", "two", "y", wrong, wrong),
        QuestionVerdicts(1, "locality", "three", "", unchanged=wrong, said_before="Ω % _"),
    ]
    number = store.evaluations.add(None, "builtin", EvaluationSettings(), {}, rows, [7, 9])
    found, total = store.evaluations.rows(number, "all", "", 0, 10)
    assert total == 3
    assert [row.verdicts for row in found] == [rows[1], rows[2], rows[0]]
    assert [row.fact for row in found] == [9, 9, 7]
    assert store.evaluations.rows(number, "all", "Ω % _", 0, 10)[1] == 1
    assert store.evaluations.counts(number)["failed"] == 2
    store.evaluations.extend(number, "health", {"a": 1})
    assert store.evaluations.get(number).report == {"health": {"a": 1}}


def test_a_study_whose_worker_died_is_interrupted(tmp_path: Path) -> None:
    store = Library(tmp_path).create("test")
    job = store.jobs.submit("study")
    store.jobs.claim(job, "a worker")
    settings = StudySettings().resolved(3, 1e-3, "mlp", Places(4, {}))
    identity = {"settings": settings.as_dict(), "facts": "digest"}
    study = store.studies.begin(job, "builtin", identity, "the same for all", [])
    store.studies.add_event(study, LocationChosen("3.mlp", "for this test"))
    before = store.version("studies")
    store.abandon_jobs("the worker died")
    assert store.version("studies") != before
    (kept,) = store.studies.all()
    assert kept.state == "interrupted"
    assert store.studies.known_events(identity) == [LocationChosen("3.mlp", "for this test")]
    assert store.studies.known_events({**identity, "facts": "other"}) == []
