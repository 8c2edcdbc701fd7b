"""What the worker loads, and what it tells the session of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.summary import SUMMARY
from workbench.model.choice import ModelChoice
from workbench.store import Store
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
