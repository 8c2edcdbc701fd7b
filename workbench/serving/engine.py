"""The one thread that owns the model, and the queue before it.

Requests are answered in turn: whoever has waited longest decides which edit is in the model, and
all who wait for the same one are answered side by side, a few answers of each request at a time,
so that a request with many prompts does not keep the others waiting.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import ModelError, WorkbenchError
from workbench.model.memory import is_out_of_memory
from workbench.serving.answering import answer
from workbench.serving.row import Row
from workbench.serving.shelf import Shelf

__all__ = ["Engine"]

AT_ONCE = 16  # answers side by side
TOKENS_AT_ONCE = 16_384  # of their prompts, as they are padded

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Waiting:
    """A request's answers that are still to be made."""

    name: str
    rows: list[Row]


class Engine:
    """Answers requests; used as a block, whose end ends everything.

    Args:
        shelf: what is served.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._waiting: list[_Waiting] = []
        self._now: list[Row] = []
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    def __enter__(self) -> "Engine":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._thread.join()

    def ask(self, name: str, rows: Sequence[Row]) -> None:
        """Puts a request at the end of the queue; its rows tell the rest.

        Args:
            name: of a model of the shelf.
            rows: the answers.
        """
        with self._news:
            if self._ended:
                for row in rows:
                    row.fail(ModelError("The server is ending."))
                return
            self._waiting.append(_Waiting(name, list(rows)))
            self._news.notify()

    def end(self) -> None:
        """Ends everything that is being answered or waits."""
        with self._news:
            self._ended = True
            for row in [*self._now, *(row for one in self._waiting for row in one.rows)]:
                row.stop.ask()
            self._news.notify()

    def _work(self) -> None:
        while batch := self._next():
            name, rows = batch
            try:
                with self._shelf.applied(name):
                    answer(self._shelf.model, rows)
            except WorkbenchError as error:
                self._fail(rows, error)
            except Exception as error:
                if is_out_of_memory(error):
                    self._fail(rows, ModelError("The model's memory is used up by this request."))
                else:
                    log.exception("A request could not be answered")
                    self._fail(rows, error)
            # One whose client has gone ends without a word otherwise.
            self._fail(rows, ModelError("The server is ending."))

    def _fail(self, rows: Sequence[Row], error: Exception) -> None:
        for row in rows:
            row.fail(error)

    def _next(self) -> tuple[str, list[Row]] | None:
        """The next answers that are made side by side; None when everything ends."""
        with self._news:
            while True:
                self._now = []
                self._drop_gone()
                if self._waiting:
                    break
                if self._ended:
                    return None
                self._news.wait()
            name = self._waiting[0].name
            mine = [one for one in self._waiting if one.name == name]
            before = {id(one): len(one.rows) for one in mine}
            self._now = _dealt(mine)
            # Who was served stands behind those who were not.
            served = [one for one in mine if len(one.rows) < before[id(one)]]
            others = [one for one in self._waiting if one not in served]
            self._waiting = others + [one for one in served if one.rows]
            return name, self._now

    def _drop_gone(self) -> None:
        for one in self._waiting:
            for row in [row for row in one.rows if row.stop.asked]:
                row.fail(ModelError("The server is ending."))
                one.rows.remove(row)
        self._waiting = [one for one in self._waiting if one.rows]


def _dealt(requests: Sequence[_Waiting]) -> list[Row]:
    """Rows from each request in turn, until no more stand side by side; they leave their requests.

    One row is always taken, however long it is.
    """
    taken: list[Row] = []
    longest = 0
    while len(taken) < AT_ONCE:
        before = len(taken)
        for one in requests:
            if not one.rows or len(taken) == AT_ONCE:
                continue
            longer = max(longest, len(one.rows[0].prompt))
            if taken and longer * (len(taken) + 1) > TOKENS_AT_ONCE:
                continue
            longest = longer
            taken.append(one.rows.pop(0))
        if len(taken) == before:
            break
    return taken
