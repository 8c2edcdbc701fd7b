"""One line of progress on a terminal: a label, a bar, a word on what goes on, the time left."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from workbench.cli.common import notes

__all__ = ["ProgressLine", "progress_line"]


class ProgressLine:
    """A line that is drawn over again; see `progress_line`."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def update(
        self, *, total: float | None = None, completed: float | None = None, state: str = ""
    ) -> None:
        """Shows how much there is, how much of it is done, and a word on what goes on.

        What is left out stays as it was.
        """
        fields: dict[str, Any] = {"state": state} if state else {}
        self._progress.update(self._task, total=total, completed=completed, **fields)

    def say(self, text: str) -> None:
        """Prints a remark that stays above the line."""
        self._progress.console.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress_line(label: str) -> Iterator[ProgressLine]:
    """A line on standard error that goes when the block ends."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes(), transient=True) as progress:
        yield ProgressLine(progress, progress.add_task(label, total=None, state=""))
