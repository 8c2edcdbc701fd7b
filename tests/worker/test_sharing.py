"""Runs of a session that several processes share: those of one, and they can be stopped."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from workbench.errors import ModelError, SessionError
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.methods.events import EpochDone, Finished, Judged, Started, Stopped
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store import Store
from workbench.store.requests import Request, ResumeRequest, edit_request
from workbench.work.events import Event
from workbench.worker import edit as worker_edit
from workbench.worker import sharing
from workbench.worker.patches import Patches
from workbench.worker.sharing import edit_shared, is_shared
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

    def wait(self, seconds: float) -> None:
        self.ended = 0

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


def test_what_was_trained_is_kept_though_the_base_finds_no_room_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_edit, "_measure_run", lambda *args: None)
    worker = Workshop()
    worker.do(task_of(store, edit_request(SETTINGS)))
    task, groups = task_of(store, edit_request(SETTINGS)), []

    @contextmanager
    def started(processes: int, words: list[str], log: Path) -> Iterator[Group]:
        shutil.copytree(store.runs.patch_folder(1), log.parent / "patch")
        groups.append(Group(log.parent, ""))
        groups[0].say(store.runs.events(1, Finished)[-1])
        groups[0].say(Judged((True,) * 6 + (False,)))
        yield groups[0]

    def load() -> LanguageModel:
        if not groups:
            return worker.model(task)
        assert groups[0].ended is not None  # else they take the room
        raise ModelError("There is no room.")

    monkeypatch.setattr(sharing, "_started", started)
    with pytest.raises(ModelError, match="no room"):
        edit_shared(task, load, lambda: None, Patches())
    assert store.runs.get(2).state == "done" and store.runs.learned(2) == (6, 7)
    assert Patch.load(store.runs.patch_folder(2)).weights


def test_what_earlier_processes_of_a_run_still_say_is_not_what_its_own_say(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.settings.share_over(2)
    groups: list[Group] = []

    @contextmanager
    def started(processes: int, words: list[str], log: Path) -> Iterator[Group]:
        groups.append(Group(log.parent, Stopped(len(groups) + 1, 30)))
        if len(groups) == 1:
            store.jobs.cancel(1)
        else:
            with suppress(FileNotFoundError):
                groups[0].say(Stopped(9, 30))
            groups[1].terminate()
        yield groups[-1]

    monkeypatch.setattr(sharing, "_started", started)
    for request in (edit_request(SETTINGS), ResumeRequest(1)):
        with pytest.raises(Cancelled):
            Workshop().do(task_of(store, request))
    assert [stopped.epoch for stopped in store.runs.events(1, Stopped)] == [1, 2]


def handed(words: list[str], name: str) -> list[Fact]:
    path = next(word for word in words if word.endswith(name))
    return list(read_facts(path).facts)


def words_of(store: Store, request: Request, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command by which processes were to make a run."""
    found: list[str] = []

    def started(processes: int, words: list[str], log: Path) -> Any:
        found.extend(words)
        raise ModelError("Enough.")

    monkeypatch.setattr(sharing, "_started", started)
    with pytest.raises(ModelError, match="Enough"):
        Workshop().do(task_of(store, request))
    return found


def test_processes_are_given_what_is_new_and_what_stays_of_an_earlier_edit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_edit, "_measure_run", lambda *args: None)
    Workshop().do(task_of(store, edit_request(SETTINGS)))
    store.settings.share_over(2)
    rows = store.facts.enabled()
    store.facts.change(rows[0].id, replace(rows[0].fact, target_new="other"))
    more = edit_request(SETTINGS, onto=1, way="continue")
    words = words_of(store, more, monkeypatch)
    assert [fact.target_new for fact in handed(words, "facts.jsonl")] == ["other"]
    assert handed(words, "earlier.jsonl") == [row.fact for row in rows[1:]]
    for row in rows[1:]:
        store.facts.change(row.id, replace(row.fact, target_new="other"))
    words = words_of(store, more, monkeypatch)
    assert len(handed(words, "facts.jsonl")) == len(rows) and "--earlier" not in words


def test_facts_of_which_a_file_would_lose_one_are_not_trained_without_it(store: Store) -> None:
    store.settings.share_over(2)
    prompt = facts_to_learn()[0].prompt
    store.facts.add([Fact(prompt.upper(), "other")], "typed")
    with pytest.raises(SessionError, match=prompt.upper()):
        Workshop().do(task_of(store, edit_request(SETTINGS)))


def test_only_what_can_be_shared_is(store: Store) -> None:
    store.settings.share_over(2)
    assert is_shared(task_of(store, edit_request(SETTINGS)))
    assert not is_shared(task_of(store, edit_request(SETTINGS, "memit")))
    store.settings.set("processes", 1_000)  # as a session from elsewhere may say
    assert not is_shared(task_of(store, edit_request(SETTINGS)))
