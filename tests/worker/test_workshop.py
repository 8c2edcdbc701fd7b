"""What the worker loads, and what it tells the session of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.summary import SUMMARY
from workbench.model.choice import ModelChoice
from workbench.model.language_model import LanguageModel
from workbench.store import Store
from workbench.store.status import WorkerStatus
from workbench.worker import workshop
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
    where = {"device": "cpu", "dtype": "float16"}
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
