"""A conversation whose runs change while the worker answers it."""

from pathlib import Path
from typing import Any

import pytest

from workbench.measure.probe_settings import ProbeSettings
from workbench.model.generate import generate
from workbench.model.load import load_model
from workbench.store import Store
from workbench.worker import talk as talk_work
from workbench.worker.patches import Patches
from workbench.worker.talk import answer_talk
from workbench.worker.task import Task


def test_a_run_that_is_taken_off_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, model = Store(tmp_path), load_model("builtin", device="cpu")
    talk = store.talks.begin("builtin", chat=False, runs=[1])
    store.say(talk.id, "The capital of Australia is")

    def meanwhile(*asked: Any, **how: Any) -> Any:
        store.talks.let_go(1)
        return generate(*asked, **how)

    monkeypatch.setattr(talk_work, "generate", meanwhile)
    job = store.jobs.open_jobs()[-1].id
    assert store.jobs.claim(job, "test")
    answer_talk(Task(store, store.jobs.get(job)), model, talk, Patches(), ProbeSettings())
    (turn,) = store.talks.turns(talk.id)
    assert set(turn.answers) == {""}
