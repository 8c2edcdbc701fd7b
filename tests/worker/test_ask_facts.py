"""Asking the model for old answers in the worker: what is filled, what is said, and the end."""

from pathlib import Path
from typing import Any

import pytest

from workbench.facts import Fact
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.store import Store
from workbench.worker import ask_facts
from workbench.worker.ask_facts import fill_old_answers
from workbench.worker.task import Cancelled, Task

FACTS = [
    Fact("The capital of Australia is", "Melbourne"),
    Fact("The capital of France is", "Lyon", ground_truth="somewhere"),
    Fact("The capital of Italy is", "Rome"),
]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.facts.add(FACTS, "file")
    return store


def asking(store: Store, facts: list[int], overwrite: bool = False) -> Task:
    """A job that was just claimed by a worker."""
    job = store.jobs.submit("ask", {"facts": facts, "overwrite": overwrite})
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def old_answers(store: Store) -> list[str]:
    return [row.fact.ground_truth for row in store.facts]


def test_only_empty_old_answers_of_the_facts_named_are_filled(
    store: Store, model: LanguageModel
) -> None:
    said = fill_old_answers(asking(store, [1, 2]), model)
    assert old_answers(store) == ["Canberra", "somewhere", ""]
    assert (said["facts"], said["filled"], said["same"]) == (1, 1, 0)


def test_old_answers_are_replaced_when_that_is_asked(store: Store, model: LanguageModel) -> None:
    fill_old_answers(asking(store, [2], overwrite=True), model)
    assert old_answers(store) == ["", "Paris", ""]


def test_a_fact_that_the_model_says_already_is_told(store: Store, model: LanguageModel) -> None:
    said = fill_old_answers(asking(store, [1, 3]), model)
    assert said["same"] == 1
    assert store.settings.get("asked_facts") == said
    assert [problem.kind for problem in store.facts.get(3).problems] == ["no change"]


def test_a_fact_that_was_changed_or_deleted_meanwhile_is_left_alone(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_then_answer(*args: Any, **more: Any) -> object:
        store.facts.change(1, Fact("The capital of Peru is", "Cusco"))
        store.facts.delete([3])
        return generate(*args, **more)

    monkeypatch.setattr(ask_facts, "generate", change_then_answer)
    said = fill_old_answers(asking(store, [1, 3]), model)
    assert (said["asked"], said["filled"]) == (2, 0)
    assert old_answers(store) == ["", "somewhere"]


def test_cancelling_keeps_the_answers_of_the_batches_before(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_facts, "BATCH", 1)
    task = asking(store, [1, 3])
    fill = store.facts.fill_old_answers

    def fill_then_cancel(*args: object) -> object:
        filled = fill(*args)  # type: ignore[arg-type]
        store.jobs.cancel(task.job.id)
        task.stop._looked_at = 0.0
        return filled

    monkeypatch.setattr(store.facts, "fill_old_answers", fill_then_cancel)
    with pytest.raises(Cancelled):
        fill_old_answers(task, model)
    assert old_answers(store) == ["Canberra", "somewhere", ""]
    said = store.settings.get("asked_facts")
    assert (said["asked"], said["facts"]) == (1, 2)
