"""Runs of a session that several processes share: those of one, and they can be stopped."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from workbench.errors import ModelError
from workbench.methods.events import EpochDone, Started, Stopped
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.patch import Patch
from workbench.store import Store
from workbench.store.requests import Request, ResumeRequest, edit_request
from workbench.work.events import Event
from workbench.worker import edit as worker_edit
from workbench.worker import sharing
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
    (tmp_path / "session").mkdir()
    store = Store(tmp_path / "session")
    store.facts.add(facts_to_learn(), "typed")
    store.settings.choose_model(ModelChoice(str(tmp_path / "model"), device="cpu"))
    return store


def task_of(store: Store, request: Request) -> Task:
    job = store.jobs.ask_for(request)
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def stopped_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody wants every run to end once it has come so far."""
    take = worker_edit.EventKeeper.take

    def taken(self: worker_edit.EventKeeper, event: Event) -> None:
        take(self, event)
        if isinstance(event, EpochDone) and event.epoch == epochs:
            self._task.stop.ask()

    monkeypatch.setattr(worker_edit.EventKeeper, "take", taken)


@pytest.mark.slow
def test_two_processes_let_a_run_go_on_to_the_weights_of_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_edit, "_measure_run", lambda *args: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    worker = Workshop()
    with monkeypatch.context() as some:
        stopped_after(2, some)
        with pytest.raises(Cancelled):
            worker.do(task_of(store, edit_request(SETTINGS)))
    assert store.runs.get(1).can_resume
    store.settings.share_over(2)
    assert worker.do(task_of(store, ResumeRequest(1))) == {"run": 1}
    assert [plan.processes for plan in store.runs.events(1, Started)] == [1, 2]
    assert store.runs.get(1).state == "done" and store.runs.learned(1)[1] == 7
    assert not (store.runs.folder(1) / "shared").exists()
    store.settings.share_over(1)
    worker.do(task_of(store, edit_request(SETTINGS)))
    shared, alone = (Patch.load(store.runs.patch_folder(run)) for run in (1, 2))
    for name, tensor in alone.tensors.items():
        assert torch.allclose(tensor, shared.tensors[name], atol=1e-5, rtol=0.0)


class Group:
    """Stands for processes that say one thing, and another one when they are to end."""

    def __init__(self, folder: Path, last: Event | str) -> None:
        self._folder, self._last = folder, last
        self.ended: int | None = None
        self.say(EpochDone(1, 30, 0.5, 0.0, 1.0))

    def say(self, event: Event) -> None:
        with (self._folder / "events.jsonl").open("a") as out:
            out.write(json.dumps(event.as_dict()) + "\n")

    def poll(self) -> int | None:
        return self.ended

    def terminate(self) -> None:
        if isinstance(self._last, Event):
            self.say(self._last)
        else:
            (self._folder / "processes.log").write_text(self._last)
        self.ended = 1


@pytest.mark.parametrize("lost", [False, True])
def test_processes_that_are_to_end_or_lose_one_of_them_leave_a_run_that_can_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    store.settings.share_over(2)
    task = task_of(store, edit_request(SETTINGS))
    told = "W 12:00 torch\nError: Another of the 2 processes is gone. The same command with --resu"
    last = told + "me goes on from x." if lost else Stopped(1, 30)

    @contextmanager
    def started(processes: int, words: list[str], log: Path) -> Iterator[Group]:
        group = Group(log.parent, last)
        store.runs.checkpoint(1).write_bytes(b"kept")
        if lost:
            group.terminate()
        else:
            task.stop.ask()
        yield group

    monkeypatch.setattr(sharing, "_started", started)
    with pytest.raises(ModelError if lost else Cancelled) as ended:
        Workshop().do(task)
    assert not lost or str(ended.value) == "Another of the 2 processes is gone."
    run = store.runs.get(1)
    assert run.state == "stopped" and run.can_resume and run.outcome == {"epochs": 1}


def test_only_what_can_be_shared_is(store: Store) -> None:
    store.settings.share_over(2)
    assert is_shared(task_of(store, edit_request(SETTINGS)))
    assert not is_shared(task_of(store, edit_request(SETTINGS, "memit")))
    store.settings.set("processes", 1_000)  # as a session from elsewhere may say
    assert not is_shared(task_of(store, edit_request(SETTINGS)))
