"""Ctrl-C as a wish: long work ends between two steps and keeps what it has."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer

from workbench.cli.common import notes

__all__ = ["STOPPED", "exit_stopped", "stopping_on_interrupt"]

STOPPED = 130
"""The exit code of a command that was stopped in this way."""


@contextmanager
def stopping_on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C asks the work to end; the second one ends it at once."""
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    try:
        signal.signal(signal.SIGINT, on_interrupt)
    except ValueError:  # not the main thread: whoever called decides about signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def exit_stopped(done: int, trials: int, out: Path | None) -> NoReturn:
    """Says how far work in trials came and how to go on, and ends the command."""
    how = f"The same command goes on from {out}." if out else "With --out it could go on."
    notes().print(f"Stopped after {done} of {trials} trials. {how}", markup=False, soft_wrap=True)
    raise typer.Exit(STOPPED)
