"""What the worker loads, and what it tells the session of it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.paced import countries, paced_session
from tests.summary import SUMMARY
from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.model.choice import ModelChoice
from workbench.model.language_model import LanguageModel
from workbench.store import Store
from workbench.store.amounts import amount_of
from workbench.store.jobs import JobKind
from workbench.store.paces import Paces
from workbench.store.requests import EvaluateRequest, ScanRequest
from workbench.store.settings import FOREIGN_MODEL
from workbench.store.status import WorkerStatus
from workbench.work.stop import Stop
from workbench.worker import workshop
from workbench.worker.estimate import estimate_next_scan
from workbench.worker.kept_facts import kept_facts
from workbench.worker.task import Task


def test_a_model_is_loaded_as_it_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def load(name: str, **options: Any) -> Any:
        asked.append((name, options))
        return SimpleNamespace(summary=lambda: SUMMARY)

    monkeypatch.setattr(workshop, "load_model", load)
    store, loader = Store(tmp_path), workshop.Workshop()
    trusted = ModelChoice("some/model", "cpu", "float16", trust_remote_code=True)
    for choice in (trusted, trusted, ModelChoice("some/model", "cpu", "float16")):
        store.settings.choose_model(choice)
        job = store.jobs.submit("load")
        assert store.jobs.claim(job, "test")
        loader.do(Task(store, store.jobs.get(job)))
        assert store.settings.summary == SUMMARY
    where = {"device": "cpu", "dtype": "float16", "memory": None}
    assert asked == [
        ("some/model", {**where, "trust_remote_code": True}),
        ("some/model", {**where, "trust_remote_code": False}),
    ]


def test_the_memory_of_the_model_in_the_worker_is_told(
    tmp_path: Path, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "load_model", lambda name, **options: model)
    monkeypatch.setattr(workshop, "choose_device", lambda name: torch.device("cpu"))
    store, loader = Store(tmp_path), workshop.Workshop()
    before = loader.memory()
    assert (before["device"], before["held"], before["held_on"]) == ("cpu", 0, "")
    assert before["free"] > 0
    job = store.jobs.submit("load")
    assert store.jobs.claim(job, "test")
    loader.do(Task(store, store.jobs.get(job)))
    after = loader.memory()
    assert (after["held"], after["held_on"]) == (model.memory_bytes, "cpu")
    WorkerStatus(1, "idle", **after).write(tmp_path)
    assert WorkerStatus.read(tmp_path) == WorkerStatus(1, "idle", **after)


def test_what_work_took_foretells_the_next_such_work(
    tmp_path: Path, model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "load_model", lambda name, **options: model)
    folder = tmp_path / "session"
    folder.mkdir()
    store, loader = Store(folder), workshop.Workshop()
    store.facts.add(facts, "file")

    def done(kind: JobKind, **params: Any) -> None:
        job = store.jobs.submit(kind, params)
        assert store.jobs.claim(job, "test")
        loader.do(Task(store, store.jobs.get(job)))

    def times(request: ScanRequest | EvaluateRequest) -> int:
        amount, kept = amount_of(store, request), tmp_path / "paces.json"
        assert amount is not None
        (model_of,) = json.loads(kept.read_text()).values() if kept.exists() else ({},)
        known = model_of.get(amount.key, [])
        assert (Paces(tmp_path, store.settings).seconds(amount) is None) == (not known)
        return len(known)

    done("load")
    assert times(ScanRequest()) == 0
    loader.use_idle_time(store, Stop())  # a few passes tell of the first scan
    assert times(ScanRequest()) == 1
    loader.use_idle_time(store, Stop())
    done("scan")
    assert times(ScanRequest()) == 2
    done("evaluate", run=None, settings={"forms": ["raw"]})
    assert times(EvaluateRequest(None, EvaluationSettings(forms=("raw",)))) == 1


def test_a_part_of_work_or_one_that_failed_foretells_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    store = Store(folder)
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "typed")
    task = Task(store, store.jobs.get(store.jobs.submit("scan")))
    with task.timed(ScanRequest()):
        task.goes_on = True
    with pytest.raises(SessionError), task.timed(ScanRequest()):
        raise SessionError("No.")
    assert not (tmp_path / "paces.json").exists()
    with task.timed(ScanRequest()):
        pass
    assert (tmp_path / "paces.json").exists()


def test_what_work_took_is_told_of_the_model_that_did_it(tmp_path: Path) -> None:
    store = paced_session(tmp_path)
    store.facts.add(countries(1), "typed")
    amount, own = amount_of(store, ScanRequest()), Paces(tmp_path, store.settings)
    assert amount is not None
    with Task(store, store.jobs.get(store.jobs.submit("scan"))).timed(ScanRequest()):
        store.settings.choose_model(ModelChoice("another"))  # while it goes on
    assert own.seconds(amount) is not None
    assert Paces(tmp_path, store.settings).seconds(amount) is None


def test_where_no_time_can_be_kept_nothing_is_drawn_again(
    tmp_path: Path, model: LanguageModel, facts: list[Fact]
) -> None:
    store = paced_session(tmp_path)
    store.facts.add(facts, "file")
    (tmp_path / "paces.json").mkdir()
    before = store.state()
    estimate_next_scan(store, model, Stop())
    assert store.state() == before  # else the worker would measure again, and again
    (tmp_path / "paces.json").rmdir()
    estimate_next_scan(store, model, Stop())
    assert store.state() != before


def test_the_model_of_a_session_from_elsewhere_is_not_loaded_before_a_person_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(name: str, **options: Any) -> Any:
        asked.append(name)
        return SimpleNamespace(summary=lambda: SUMMARY)

    monkeypatch.setattr(workshop, "load_model", load)
    store, loader = Store(tmp_path), workshop.Workshop()
    store.settings.choose_model(ModelChoice("some/model"))
    store.settings.set(FOREIGN_MODEL, True)
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "typed")
    params: dict[JobKind, dict[str, Any]] = {
        "load": {},
        "ask": {"probes": []},
        "rephrase": {},
        "scan": {},
        "sweep": {},
        "edit": {},
        "evaluate": {"run": None},
        "stress": {"run": None},
        "study": {},
        "export": {"run": 1, "folder": str(tmp_path / "full")},
    }
    for kind, given in params.items():
        job = store.jobs.submit(kind, given)
        assert store.jobs.claim(job, "test")
        with pytest.raises(SessionError, match="came from elsewhere and names the model"):
            loader.do(Task(store, store.jobs.get(job)))
    assert asked == []
    store.settings.confirm_model("some/model")
    loader.do(Task(store, store.jobs.get(1)))
    assert asked == ["some/model"]


@pytest.mark.parametrize(
    "line", ["", "no JSON", "[]", '{"id": 1}', '{"id": "x", "prompt": "a", "target_new": "b"}']
)
def test_facts_of_a_run_that_cannot_be_read_are_named_by_their_line(
    tmp_path: Path, line: str
) -> None:
    store = Store(tmp_path)
    good = '{"id": 1, "prompt": "a", "target_new": "b"}'
    file = store.runs.folder(3) / "facts.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(f"{good}\n", encoding="utf-8")
    assert [row.fact for row in kept_facts(store, 3)] == [Fact("a", "b")]
    file.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(SessionError, match="facts of run 3 cannot be read, in line 2"):
        kept_facts(store, 3)
