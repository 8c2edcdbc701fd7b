"""Looking inside in the worker: what is shown of a fact is what a run trains on and ends with."""

from pathlib import Path
from typing import Any

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.methods.edit import edit
from workbench.methods.locft_settings import EditSettings
from workbench.model.inside_record import Inside, ShownText
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.store import Store
from workbench.work.records import from_data
from workbench.worker.look import first_batch, look_inside
from workbench.worker.patches import Patches
from workbench.worker.task import Task

AUSTRALIA = Fact("The capital of Australia is", "Melbourne", ground_truth="Canberra")
FRANCE = Fact("The capital of France is", "Lyon")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def claimed(store: Store) -> Task:
    job = store.jobs.open_jobs()[-1].id
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def test_a_fact_is_seen_before_and_with_the_run(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.facts.add([AUSTRALIA], "typed")
    (fact,) = store.facts.enabled()
    store.look_at(fact.id)
    seen = from_data(Inside, look_inside(claimed(store), model, Patches()))
    assert [curve.label for curve in seen.curves] == ["new answer", "old answer"]
    assert seen.run is None and not seen.curves[0].after and seen.words[0].after is None
    done, patches = edit(model, [AUSTRALIA]), Patches()
    monkeypatch.setattr(patches, "of", lambda store, run: done.patch)
    store.settings.set("shown_run", 1)
    store.look_at(fact.id)
    task = claimed(store)
    monkeypatch.setattr(store.runs, "get", lambda run: type("Run", (), {"at": ("6.mlp",)}))
    new, old = from_data(Inside, look_inside(task, model, patches)).curves
    assert new.before[-1] < 0.1 < 0.5 < new.after[-1]
    assert old.after[-1] < 0.5 < old.before[-1]


def batch(store: Store, model: LanguageModel, **settings: Any) -> list[ShownText]:
    store.settings.keep("edit", EditSettings(**settings))
    store.show_first_batch()
    return list(from_data(tuple[ShownText, ...], first_batch(claimed(store), model)["texts"]))


def test_the_first_batch_is_shown_in_the_forms_that_are_drawn(
    store: Store, model: LanguageModel
) -> None:
    store.facts.add([AUSTRALIA, FRANCE], "typed")
    forms = {text.form for text in batch(store, model, forms=("chat",), batch_size=2)}
    assert forms == {"chat"}
    texts = batch(store, model, batch_size=1, forms=("raw",))
    assert len(texts) == 1 and texts[0].form == "raw"


def test_without_facts_there_is_no_batch(store: Store, model: LanguageModel) -> None:
    with pytest.raises(SessionError, match="Tick at least one"):
        batch(store, model)
