"""A command in one of several processes that torchrun started: the first speaks and writes.

Invariants: the others print nothing but what went wrong with themselves alone; where one cannot
begin, none does. SIGTERM, which torchrun sends when one of them has ended, and which batch systems
send before they end a job, is the wish to stop. Imports torch only where there are several.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from workbench.errors import SettingsError, WorkbenchError
from workbench.model.choice import ModelChoice
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.model.ranks import Ranks

__all__ = ["agreed", "claiming", "processes", "require_alone", "shared", "with_own_device"]

Result = TypeVar("Result")

STARTED = time.time()
STAGGER = 0.1  # seconds between the looks of two processes
HEAD_START = 1.0  # seconds in which the first process may keep what there is, if it still can


def processes() -> int:
    """How many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def require_alone(what: str) -> None:
    """Refuses to do in several processes what one of them has to do alone.

    Args:
        what: such as ``workbench sweep``.

    Raises:
        SettingsError: there are several; said by the first alone.
        SystemExit: in the others.
    """
    if processes() > 1 and os.environ["RANK"] != "0":
        sys.exit(2)
    if processes() > 1:
        raise SettingsError(
            f"Several processes can share 'workbench edit' by LocFT-BF or LoRA. Start {what} "
            "without torchrun."
        )


@contextmanager
def shared(stop: Stop) -> "Iterator[Ranks]":
    """A block that all processes of a run go through; those that do not lead are silent in it.

    Args:
        stop: asked when the process is told to end.

    Raises:
        ModelError: the others cannot be reached.
    """
    from workbench.model.ranks import joined

    with ExitStack() as stack:
        ranks = stack.enter_context(joined())
        if not ranks.alone:
            before = signal.signal(signal.SIGTERM, lambda *_: stop.ask())
            stack.callback(signal.signal, signal.SIGTERM, before)
        if not ranks.leads:
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        yield ranks


def agreed(ranks: "Ranks", prepare: Callable[[], Result]) -> Result:
    """Does in every process what must succeed in all of them.

    Args:
        ranks: the processes.
        prepare: what each does for itself.

    Raises:
        WorkbenchError: it fails in one of them; said by the first process alone.
        SystemExit: in the other processes.
    """
    result, wrong = [], None
    try:
        result.append(prepare())
    except WorkbenchError as error:
        wrong = error
    said = ranks.gathered(str(wrong) if wrong is not None else "")
    if wrong is not None and ranks.leads:
        raise wrong
    failing = next((number for number, text in enumerate(said) if text), None)
    if failing is not None and ranks.leads:
        raise WorkbenchError(f"Process {failing} of {ranks.count}: {said[failing]}")
    if failing is not None:
        sys.exit(2)
    return result[0]


def with_own_device(choice: ModelChoice) -> ModelChoice:
    """The model on the GPU of this process, where several processes mean ``cuda``.

    Raises:
        SettingsError: all of them mean the same GPU.
    """
    if processes() == 1 or not (choice.device or "").startswith("cuda"):
        return choice
    if choice.device != "cuda":
        raise SettingsError(
            f"--device {choice.device} is one GPU for all {processes()} processes. Write --device "
            "cuda, or leave it out: each process takes its own."
        )
    return replace(choice, device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")


@contextmanager
def claiming(ranks: "Ranks", checkpoint: Path) -> Iterator[bool]:
    """A block for keeping a run of which a process is gone: says whether it is for this one to do.

    It is for the first process; where that one is gone, for the next that makes a certain file.
    One that is older than this process was left by a run that was killed.

    Args:
        ranks: the processes.
        checkpoint: where the run is kept.
    """
    time.sleep(0 if ranks.leads else HEAD_START + STAGGER * ranks.number)
    began = time.monotonic()
    claim = checkpoint.with_name(f"{checkpoint.name}.claim")
    try:
        claim.parent.mkdir(parents=True, exist_ok=True)
        if claim.exists() and claim.stat().st_mtime < STARTED:
            claim.unlink(missing_ok=True)
        claim.touch(exist_ok=False)
    except FileExistsError:
        yield False
        return
    try:
        yield True
        until = began + 2 * HEAD_START + STAGGER * ranks.count  # until all have looked
        time.sleep(max(0.0, until - time.monotonic()))
    finally:
        claim.unlink(missing_ok=True)
