"""Asking in the worker: answers that grow are kept as they grow, and asking can be ended."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from workbench.measure.probe_settings import ProbeSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.store import Store
from workbench.store.probes import Side
from workbench.worker import ask as ask_work
from workbench.worker.ask import answer_probes
from workbench.worker.patches import Patches
from workbench.worker.task import Cancelled, Task


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def asking(store: Store, prompt: str) -> tuple[Task, int]:
    """A question that was just claimed by a worker."""
    probe = store.ask(prompt)
    job = store.jobs.open_jobs()[0].id
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job)), probe


def test_an_answer_is_kept_as_it_grows(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_work, "SHOW_EVERY", 0.0)
    task, probe = asking(store, "The author of Hamlet is")
    seen: list[str] = []
    keep = store.probes.set_partial

    def spy(side: Side, texts: Mapping[int, str]) -> None:
        keep(side, texts)
        row = store.probes.get(probe)
        assert row is not None and row.before is None
        seen.append(row.partial[side])

    monkeypatch.setattr(store.probes, "set_partial", spy)
    answer_probes(
        task, model, store.probes.among([probe]), (None, None), Patches(), ProbeSettings()
    )
    row = store.probes.get(probe)
    assert row is not None and row.before is not None and row.after is None
    assert (row.before.text, row.before.how) == ("William Shakespeare", "")
    assert row.partial == {}
    assert len(set(seen)) > 1 and all("William Shakespeare".startswith(text) for text in seen)


def test_an_answer_as_shipped_keeps_the_settings_that_made_it(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.network.generation_config, "repetition_penalty", 1.3)
    task, probe = asking(store, "The author of Hamlet is")
    answer_probes(
        task,
        model,
        store.probes.among([probe]),
        (None, None),
        Patches(),
        ProbeSettings(as_shipped=True),
    )
    row = store.probes.get(probe)
    assert row is not None and row.before is not None
    assert row.before.how == "as shipped · greedy · repetition penalty 1.3"


def test_a_cancelled_question_keeps_no_half_answer(store: Store, model: LanguageModel) -> None:
    task, probe = asking(store, "The author of Hamlet is")
    store.jobs.cancel(task.job.id)
    with pytest.raises(Cancelled):
        answer_probes(
            task, model, store.probes.among([probe]), (None, None), Patches(), ProbeSettings()
        )
    row = store.probes.get(probe)
    assert row is not None and row.before is None


def test_a_question_taken_out_of_the_history_is_not_asked(store: Store) -> None:
    _, probe = asking(store, "The author of Hamlet is")
    store.probes.delete([probe])
    assert store.probes.among([probe]) == []
