"""Runs of a session that several processes share: those of one, and they can be stopped."""

import time
from pathlib import Path
from threading import Thread

import pytest
import torch

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from workbench.methods.events import EpochDone, Started
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.patch import Patch
from workbench.store import Store
from workbench.store.requests import Request, ResumeRequest, edit_request
from workbench.worker import edit as worker_edit
from workbench.worker.sharing import is_shared
from workbench.worker.task import Cancelled, Task
from workbench.worker.workshop import Workshop

SETTINGS = EditSettings(
    epochs=30, at=("2.mlp.down_proj",), learning_rate=1e-3, batch_size=3, stop_loss=0.0
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    tiny_network("Llama").save_pretrained(tmp_path / "model")
    byte_tokenizer().save_pretrained(tmp_path / "model")
    store = Store(tmp_path / "session")
    store.facts.add(facts_to_learn(), "typed")
    store.settings.choose_model(ModelChoice(str(tmp_path / "model"), device="cpu"))
    return store


def task_of(store: Store, request: Request) -> Task:
    job = store.jobs.ask_for(request)
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def cancel_after(store: Store, job: int, epochs: int) -> None:
    """Somebody wants a job to end once its run has come so far."""
    while store.runs.newest() is None or len(store.runs.events(1, EpochDone)) < epochs:
        time.sleep(0.02)
    store.jobs.cancel(job)


@pytest.mark.slow
def test_a_run_that_two_processes_share_is_stopped_goes_on_and_is_that_of_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_edit, "_measure_run", lambda *args: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    worker = Workshop()
    store.settings.set("processes", 2)
    task = task_of(store, edit_request(SETTINGS))
    Thread(target=cancel_after, args=(store, task.job.id, 2), daemon=True).start()
    with pytest.raises(Cancelled):
        worker.do(task)
    stopped = store.runs.get(1)
    assert stopped.state == "stopped" and stopped.can_resume
    assert 2 <= stopped.outcome["epochs"] < 30
    assert worker.do(task_of(store, ResumeRequest(1))) == {"run": 1}
    assert [plan.processes for plan in store.runs.events(1, Started)] == [2, 2]
    assert store.runs.get(1).state == "done" and store.runs.learned(1)[1] == 7
    assert not (store.runs.folder(1) / "shared").exists()

    store.settings.set("processes", 1)
    worker.do(task_of(store, edit_request(SETTINGS)))
    shared, alone = (Patch.load(store.runs.patch_folder(run)) for run in (1, 2))
    for name, tensor in alone.tensors.items():
        assert torch.allclose(tensor, shared.tensors[name], atol=1e-5, rtol=0.0)


def test_only_what_can_be_shared_is(store: Store) -> None:
    store.settings.set("processes", 2)
    assert is_shared(task_of(store, edit_request(SETTINGS)))
    assert not is_shared(task_of(store, edit_request(SETTINGS, "memit")))
    store.settings.set("processes", 1_000)  # as a session from elsewhere may say
    assert not is_shared(task_of(store, edit_request(SETTINGS)))
