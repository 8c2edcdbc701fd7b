"""Runs of a session that add facts to the edit of an earlier one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import workbench
from workbench.errors import FactsError, PatchError, SessionError
from workbench.facts.fact import Fact
from workbench.methods.context_settings import ContextSettings
from workbench.methods.in_context import statement
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store import Store
from workbench.store.requests import ExportRequest, Request, ResumeRequest, edit_request
from workbench.store.run_rows import RunOnto
from workbench.work.stop import Stop
from workbench.worker import edit as worker_edit
from workbench.worker import workshop
from workbench.worker.task import Cancelled, Task

SETTINGS = EditSettings(epochs=3, at=("2.mlp.down_proj",), learning_rate=1e-2)
Do = Callable[..., int]


@pytest.fixture
def store(tmp_path: Path, facts: list[Fact]) -> Store:
    store = Store(tmp_path)
    store.facts.add(facts[:4], "typed")
    return store


@pytest.fixture
def do(store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Does a job, and returns the number of its run."""
    monkeypatch.setattr(workshop, "load_model", lambda name, **options: model)
    monkeypatch.setattr(worker_edit, "_measure_run", lambda *args: None)
    store.settings.choose_model(ModelChoice("tiny"))
    model.name = "tiny"
    worker = workshop.Workshop()

    def done(request: Request) -> int:
        job = store.jobs.ask_for(request)
        assert store.jobs.claim(job, "test")
        return int(worker.do(Task(store, store.jobs.get(job)))["run"])

    return done


def patch_of(store: Store, run: int) -> Patch:
    return Patch.load(store.runs.patch_folder(run))


def test_a_run_starts_from_an_earlier_one_with_the_facts_that_are_new(
    store: Store, do: Do, model: LanguageModel, facts: list[Fact]
) -> None:
    first = do(edit_request(SETTINGS))
    with pytest.raises(FactsError, match="Every ticked fact is in run 1 already"):
        do(edit_request(SETTINGS, onto=first))
    store.facts.add(facts[4:], "typed")
    second = do(edit_request(SETTINGS, onto=first, way="continue"))
    found = store.runs.get(second)
    assert (found.facts, found.onto) == (7, RunOnto(first, "continue", 3))
    known = {"onto": patch_of(store, first), "earlier": facts[:4], "way": "continue"}
    alone = workbench.edit(model, facts[4:], SETTINGS, **known).patch  # type: ignore[arg-type]
    made = patch_of(store, second)
    assert all(torch.equal(made.tensors[name], new) for name, new in alone.tensors.items())
    third = do(edit_request(SETTINGS, onto=first))
    anew = workbench.edit(model, facts, SETTINGS).patch
    made = patch_of(store, third)
    assert all(torch.equal(made.tensors[name], new) for name, new in anew.tensors.items())
    assert store.runs.get(third).onto == RunOnto(first, "recompile", 3)


def test_a_run_on_top_goes_on_where_it_was_stopped(
    store: Store, do: Do, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = do(edit_request(SETTINGS))
    store.facts.add(facts[4:], "typed")
    whole = patch_of(store, do(edit_request(SETTINGS, onto=first, way="continue")))
    seen: list[Any] = []
    taking = worker_edit._Keeper.take

    def stopping(self: Any, event: Any) -> None:
        seen.append(event)
        if len(seen) == 3:
            Stop.ask(self._task.stop)
        taking(self, event)

    monkeypatch.setattr(worker_edit._Keeper, "take", stopping)
    with pytest.raises(Cancelled):
        do(edit_request(SETTINGS, onto=first, way="continue"))
    stopped = store.runs.all()[0]
    assert stopped.state == "stopped" and stopped.onto == RunOnto(first, "continue", 3)
    again = patch_of(store, do(ResumeRequest(stopped.id)))
    assert all(torch.equal(again.tensors[name], new) for name, new in whole.tensors.items())
    store.runs._database.write("UPDATE runs SET model = 'other' WHERE id = ?", (first,))
    with pytest.raises(SessionError, match="edits another model"):
        do(edit_request(SETTINGS, onto=first))


def test_facts_before_prompts_are_a_run_like_any_other(
    store: Store, do: Do, facts: list[Fact], tmp_path: Path
) -> None:
    first = do(edit_request(ContextSettings(most=1), "in-context"))
    found = store.runs.get(first)
    assert (found.state, found.at, found.facts) == ("done", (), 4)
    store.facts.add(facts[4:], "typed")
    second = do(edit_request(SETTINGS, onto=first, way="continue"))
    both = patch_of(store, second)
    assert both.tensors and both.context is not None and len(both.context.statements) == 4
    row = store.facts.enabled()[0]
    store.facts.change(row.id, Fact("What changed is", "this"))
    for settings, method in ((ContextSettings(), "in-context"), (SETTINGS, "locft-bf")):
        later = patch_of(store, do(edit_request(settings, method, onto=first, way="continue")))
        assert later.context is not None and statement(row.fact) not in later.context.statements
    with pytest.raises(PatchError, match="nothing can be exported"):
        do(ExportRequest(first, str(tmp_path / "whole")))
