"""A session's run that several processes share: the worker starts them, and follows what they say.

They make the same run as the command `torchrun -m workbench edit` does, each with the model in its
own memory, so that the worker gives its own back meanwhile. Invariant: a run that is stopped, or
that has lost a process, can go on, with as many processes as there are then.
"""

import contextlib
import json
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.actions import command_line
from workbench.errors import ModelError, SessionError, WorkbenchError
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.facts.write import write_facts
from workbench.methods.base import find_method
from workbench.methods.edit import EditResult
from workbench.methods.events import Finished, Judged, Stopped
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.store.requests import EditRequest, ResumeRequest
from workbench.work.events import Event, Work
from workbench.work.settings import SettingsRecord
from workbench.work.words import one_line
from workbench.worker.edit import EventKeeper, keep_result, measure_result, prepare
from workbench.worker.patches import Patches
from workbench.worker.supervisor import environment
from workbench.worker.task import Cancelled, Task

__all__ = ["edit_shared", "is_shared"]

LOOK_EVERY = 0.05  # seconds between two looks at what was said
OWN_END = 10.0  # seconds in which processes that have said their last word end by themselves
LAST_END = 60.0  # seconds in which they end, and keep what they did, once they are told to
EVENTS, LOG = "events.jsonl", "processes.log"
ERROR = "Error: "  # what begins a command's line for people
ADVICE = "The same command with --resume goes on from"


def is_shared(task: Task) -> bool:
    """Whether several processes are to make a task's run."""
    asked = task.job.request
    if task.store.settings.processes < 2:
        return False
    if isinstance(asked, ResumeRequest):
        return not asked.keep and find_method(task.store.runs.get(asked.resume).method).shares
    return find_method(task.request(EditRequest).method).shares


def edit_shared(
    task: Task, load: Callable[[], LanguageModel], let_go: Callable[[], None], patches: Patches
) -> dict[str, Any]:
    """As `edit_facts`, in several processes.

    Args:
        task: the job.
        load: gives the base, which is in memory afterwards.
        let_go: gives the base's memory back.
        patches: where the new patch is kept.
    """
    processes, runs = task.store.settings.processes, task.store.runs
    number, rows, run = prepare(task, load(), patches)
    settings, keeper = run.settings, EventKeeper(task, number, run.plan().resumed_epoch)
    del run
    let_go()
    folder = _new_folder(task, number)
    try:
        words = _words(task, number, [row.fact for row in rows], settings, folder)
        task.begin(f"Starting {processes} processes for {len(rows)} facts")
        with _started(processes, words, folder / LOG) as group:
            judged = task.follow(_followed(task, group, folder), keeper.take)
            keeper.flush()
            if judged is None:
                keeper.end()
                raise Cancelled
            task.report("Keeping what was learned", now=True)
            patch, finished = Patch.load(folder / "patch"), runs.events(number, Finished)[-1]
            result = EditResult(patch, settings, finished, judged.learned, judged.learned_in)
            keep_result(task, patches, number, rows, result)
            # Until they are gone the base may not find room.
            with contextlib.suppress(subprocess.TimeoutExpired):
                group.wait(OWN_END)
    except WorkbenchError:
        if runs.get(number).state == "running" and runs.checkpoint(number).exists():
            keeper.end()
        raise
    finally:
        keeper.flush()
    shutil.rmtree(folder.parent, ignore_errors=True)
    measure_result(task, load(), patches, number, rows, patch)
    return {"run": number}


def _new_folder(task: Task, number: int) -> Path:
    """For what goes into and comes out of the processes of one job.

    Those of an earlier job of the run may still be about to end, and say so in theirs.
    """
    every = task.store.runs.folder(number) / "shared"
    shutil.rmtree(every, ignore_errors=True)
    folder = every / str(task.job.id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _words(
    task: Task, number: int, facts: list[Fact], settings: SettingsRecord, folder: Path
) -> list[str]:
    """The command that makes a run, behind its first word.

    Args:
        task: the job.
        number: of the run.
        facts: all that it stands for.
        settings: of its method.
        folder: for what goes in and comes out.

    Raises:
        SessionError: the facts cannot be handed over.
    """
    store = task.store
    run, checkpoint = store.runs.get(number), store.runs.checkpoint(number)
    more = ["--out", str(folder / "patch"), "--events", str(folder / EVENTS)]
    more += ["--checkpoint", str(checkpoint), *(["--resume"] if checkpoint.exists() else [])]
    onto = run.onto
    if onto is not None and onto.way == "continue":
        first = len(facts) - onto.new
        earlier, facts = facts[:first], facts[first:]
        more += ["--onto", str(store.runs.patch_folder(onto.run)), "--way", onto.way]
        if earlier:
            _hand_over(earlier, folder / "earlier.jsonl")
            more += ["--earlier", str(folder / "earlier.jsonl")]
    _hand_over(facts, folder / "facts.jsonl")
    line = command_line(
        "edit",
        settings,
        model=store.settings.model,
        facts=str(folder / "facts.jsonl"),
        method=run.method,
        more=more,
    )
    return shlex.split(line)[1:]


def _hand_over(facts: list[Fact], path: Path) -> None:
    """Writes facts as the command reads them.

    Raises:
        SessionError: it would read others: of two prompts that differ in case or punctuation alone,
            which a session may have, it takes one.
    """
    write_facts(facts, path)
    found = read_facts(path).facts
    if list(found) != facts:
        there = set(found)
        lost = next((fact for fact in facts if fact not in there), facts[0])
        raise SessionError(
            f"Several processes cannot be given the fact '{one_line(lost.prompt)}': nearly the "
            "same prompt is there twice, or it has a control character. Change it, leave it out, "
            "or let one process make the run."
        )


def _followed(task: Task, group: subprocess.Popen[bytes], folder: Path) -> Work[Judged | None]:
    """Says what the processes say.

    Returns:
        Their last word; None when somebody wanted them to end, and they have kept their checkpoint.

    Raises:
        ModelError: they ended before.
    """
    asked = False
    for event in _told(group, folder / EVENTS):
        if isinstance(event, Judged):
            return event
        if event is not None:
            yield event
        if isinstance(event, Stopped):
            return None
        if task.stop.asked and not asked:
            asked = True
            group.terminate()
    if asked:
        return None
    raise ModelError(_last_words(folder / LOG))


@contextmanager
def _started(processes: int, words: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A block in which the processes are there; behind it they are to end, if they have not."""
    with log.open("wb") as out:
        group = subprocess.Popen(
            [sys.executable, "-m", "workbench.worker.group", str(processes), *words],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=environment(),
        )
    try:
        yield group
    finally:
        # They end by themselves, or because their input does; nobody has to wait for that.
        threading.Thread(target=_ended, args=(group,), name="shared", daemon=True).start()


def _ended(group: subprocess.Popen[bytes]) -> None:
    """Sees to it that processes which are to end do so."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        group.wait(OWN_END)
    if group.stdin is not None:
        group.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        group.wait(LAST_END)
    group.kill()
    group.wait()


def _told(group: subprocess.Popen[bytes], path: Path) -> Iterator[Event | None]:
    """What the processes say, and None again and again while they say nothing, until they end."""
    position = 0
    while True:
        has_ended = group.poll() is not None  # before the last look, so that no word is lost
        if path.exists():
            with path.open("rb") as lines:
                lines.seek(position)
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    position += len(line)
                    yield Event.from_dict(json.loads(line))
        yield None
        if has_ended:
            return
        time.sleep(LOOK_EVERY)


def _last_words(log: Path) -> str:
    """Why the processes ended, as the first of them said it."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.partition(ERROR)[2] for line in lines if line.startswith(ERROR)]
    if said:
        return said[-1].partition(ADVICE)[0].strip()
    return f"The processes ended before the run did. '{log}' has what they said."
