"""The prompts that were asked of the model, with the answers before and after.

A pinned prompt is also answered by every run at the end of its epochs. Knows nothing about
how answers are made.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from workbench.recipe.errors import SessionError
from workbench.session.database import Database, to_json

__all__ = ["Answered", "PinnedAnswer", "ProbeRow", "ProbeTable"]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: its text, and the likeliest next tokens with their probabilities."""

    text: str
    top: tuple[tuple[str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"text": self.text, "top": [list(pair) for pair in self.top]}

    @classmethod
    def from_json(cls, text: str | None) -> "Answered | None":
        """The inverse of `as_dict`, from JSON; None stays None."""
        if text is None:
            return None
        data = json.loads(text)
        return cls(data["text"], tuple((token, share) for token, share in data["top"]))


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One prompt that was asked.

    Args:
        id: number in its session.
        prompt: the text.
        chat: whether it goes through the model's chat template.
        pinned: whether runs answer it at their epochs.
        job: the job that answers it.
        model: name of the model that answered; empty until then.
        run: the run that "after" is; None for the base alone.
        before, after: the answers; None until they are there.
    """

    id: int
    prompt: str
    chat: bool
    pinned: bool
    job: int | None
    model: str
    run: int | None
    before: Answered | None
    after: Answered | None


@dataclass(frozen=True, slots=True)
class PinnedAnswer:
    """What a pinned prompt was answered at the end of an epoch of a run."""

    probe: int
    prompt: str
    epoch: int
    text: str


class ProbeTable:
    """The probes of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, prompt: str, chat: bool = False) -> int:
        """Notes a prompt that is about to be asked; returns its id.

        Raises:
            SessionError: the prompt is empty.
        """
        if not prompt.strip():
            raise SessionError("Type a prompt first, such as: The capital of Australia is")
        cursor = self._database.write(
            "INSERT INTO probes (prompt, chat, created) VALUES (?, ?, ?)",
            (prompt.strip(), int(chat), time.time()),
        )
        return int(cursor.lastrowid or 0)

    def set_job(self, probe: int, job: int) -> None:
        """Says which job answers a probe."""
        self._database.write("UPDATE probes SET job = ? WHERE id = ?", (job, probe))

    def set_answers(
        self, probe: int, model: str, run: int | None, before: Answered, after: Answered | None
    ) -> None:
        """Keeps the answers to a probe."""
        self._database.write(
            "UPDATE probes SET model = ?, run = ?, before = ?, after = ? WHERE id = ?",
            (
                model,
                run,
                to_json(before.as_dict()),
                None if after is None else to_json(after.as_dict()),
                probe,
            ),
        )

    def pin(self, probe: int, pinned: bool) -> None:
        """Pins or unpins a probe."""
        self._database.write("UPDATE probes SET pinned = ? WHERE id = ?", (int(pinned), probe))

    def delete(self, probe: int) -> None:
        """Takes a probe out of the history."""
        self._database.write("DELETE FROM probes WHERE id = ?", (probe,))

    def recent(self, count: int = 20) -> list[ProbeRow]:
        """The newest probes, newest first."""
        rows = self._database.rows("SELECT * FROM probes ORDER BY id DESC LIMIT ?", (count,))
        return [_probe(row) for row in rows]

    def pinned(self) -> list[ProbeRow]:
        """The pinned probes, oldest first."""
        rows = self._database.rows("SELECT * FROM probes WHERE pinned ORDER BY id")
        return [_probe(row) for row in rows]

    def get(self, probe: int) -> ProbeRow | None:
        """One probe; None when it is gone."""
        row = self._database.row("SELECT * FROM probes WHERE id = ?", (probe,))
        return _probe(row) if row is not None else None

    def add_pinned_answers(self, run: int, epoch: int, answers: list[tuple[int, Answered]]) -> None:
        """Keeps what a run answered to the pinned probes at the end of an epoch."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO pinned_answers (probe, run, epoch, answer)"
                " SELECT id, ?, ?, ? FROM probes WHERE id = ?",
                [(run, epoch, to_json(answer.as_dict()), probe) for probe, answer in answers],
            )

    def pinned_answers(self, run: int) -> list[PinnedAnswer]:
        """What a run answered to pinned probes, by probe and epoch."""
        rows = self._database.rows(
            "SELECT a.*, p.prompt FROM pinned_answers a JOIN probes p ON p.id = a.probe"
            " WHERE a.run = ? ORDER BY a.probe, a.epoch",
            (run,),
        )
        return [
            PinnedAnswer(
                row["probe"], row["prompt"], row["epoch"], json.loads(row["answer"])["text"]
            )
            for row in rows
        ]


def _probe(row: sqlite3.Row) -> ProbeRow:
    return ProbeRow(
        id=row["id"],
        prompt=row["prompt"],
        chat=bool(row["chat"]),
        pinned=bool(row["pinned"]),
        job=row["job"],
        model=row["model"],
        run=row["run"],
        before=Answered.from_json(row["before"]),
        after=Answered.from_json(row["after"]),
    )
