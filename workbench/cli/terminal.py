"""The terminal as a place where the events of work go, and Ctrl-C as the wish to stop it.

One line on standard error says how far the work is; remarks stay above it. The first Ctrl-C asks
the work to end between two steps, the second one ends it at once.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from workbench.cli.common import STOPPED, notes
from workbench.work.events import Event, Work, follow
from workbench.work.stop import Cancelled, Stop

__all__ = ["stopping_on_interrupt", "watched", "watched_or_stopped"]

Result = TypeVar("Result")


def watched(
    label: str,
    work: Work[Result],
    stop: Stop | None = None,
    *,
    keep: Callable[[Event], object] | None = None,
    remarks: bool = True,
) -> Result:
    """Does work with a line of progress.

    Args:
        label: what is being done.
        work: yields events.
        stop: asked by the first Ctrl-C; None for work that ends only at once.
        keep: also called with every event.
        remarks: whether remarks are printed.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
    )
    console = notes()
    with (
        stopping_on_interrupt(stop),
        # Elsewhere than on a terminal nothing is drawn, nor the empty line behind it.
        Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as line,
    ):
        task = line.add_task(label, total=None, state="")

        def take(event: Event) -> None:
            if keep is not None:
                keep(event)
            told = event.told()
            if told is None:
                return
            if told.remark and remarks:
                line.console.print(told.remark, markup=False, soft_wrap=True)
            if told.share is not None:
                line.update(task, total=1.0, completed=told.share)
            if told.line:
                line.update(task, state=told.line)

        return follow(work, take)


def watched_or_stopped(label: str, start: Callable[[Stop], Work[Result]], stopped: str) -> Result:
    """Does work with a line of progress; Ctrl-C ends the command with a sentence.

    Args:
        label: what is being done.
        start: begins the work, given what asks it to end.
        stopped: the sentence.
    """
    stop = Stop()
    try:
        return watched(label, start(stop), stop)
    except Cancelled:
        notes().print(stopped, markup=False, soft_wrap=True)
        raise typer.Exit(STOPPED) from None


@contextmanager
def stopping_on_interrupt(stop: Stop | None) -> Iterator[None]:
    """A block in which the first Ctrl-C expresses the wish, and the second one ends it at once."""
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        if stop is not None:
            stop.ask()

    try:
        if stop is not None:
            signal.signal(signal.SIGINT, on_interrupt)
    except ValueError:  # not the main thread: whoever called decides about signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
