"""The prompts that were asked of the model, with the answers before and after.

Before and after are the base or any run each. A pinned prompt is also answered by every run, at
its beginning and at the end of its epochs. Knows nothing about how answers are made.
"""

import itertools
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import SessionError
from workbench.store.database import Database, to_json

__all__ = ["Answered", "PinnedAnswer", "ProbeRow", "ProbeTable", "Role", "Side"]

Side = Literal["before", "after"]
Role = Literal["", "prompt", "rephrase", "locality", "portability"]
"""What a prompt is to the fact that it was asked about; empty for a free prompt."""

# A free prompt stands alone, the questions about one fact stand together.
_CARD = "CASE role WHEN '' THEN -id ELSE job END"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: its text, and the likeliest next tokens with their probabilities.

    Args:
        text: what was said.
        top: the likeliest next tokens after the prompt.
        how: the checkpoint's own settings, when they made it; empty for a greedy answer.
    """

    text: str
    top: tuple[tuple[str, float], ...] = ()
    how: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        said = {"text": self.text, "top": [list(pair) for pair in self.top]}
        return said | {"how": self.how} if self.how else said

    @classmethod
    def from_json(cls, text: str | None) -> "Answered | None":
        """The inverse of `as_dict`, from JSON; None stays None."""
        if text is None:
            return None
        data = json.loads(text)
        top = tuple((token, share) for token, share in data["top"])
        return cls(data["text"], top, str(data.get("how", "")))


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
        before_run, run: the runs that "before" and "after" were; None for the base.
        before, after: the answers; None until they are there.
        partial: how far the answers have come while they are being written.
        fact: the fact that the prompt belongs to; None for a free prompt.
        role: what the prompt is to that fact.
    """

    id: int
    prompt: str
    chat: bool
    pinned: bool
    job: int | None
    model: str
    before_run: int | None
    run: int | None
    before: Answered | None
    after: Answered | None
    partial: Mapping[str, str]
    fact: int | None
    role: Role


@dataclass(frozen=True, slots=True)
class PinnedAnswer:
    """What a pinned prompt was answered at the end of an epoch of a run; epoch 0 is the base.

    How it was answered is empty for a greedy answer.
    """

    probe: int
    prompt: str
    epoch: int
    text: str
    how: str = ""


class ProbeTable:
    """The probes of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, prompt: str, chat: bool = False, fact: int | None = None, role: Role = "") -> int:
        """Notes a prompt that is about to be asked; returns its id.

        Args:
            prompt: the text.
            chat: whether it goes through the chat template.
            fact: the fact that it belongs to.
            role: what it is to that fact.

        Raises:
            SessionError: the prompt is empty.
        """
        if not prompt.strip():
            raise SessionError("Type a prompt first, such as: The capital of Australia is")
        cursor = self._database.write(
            "INSERT INTO probes (prompt, chat, fact, role, created) VALUES (?, ?, ?, ?, ?)",
            (prompt.strip(), int(chat), fact, role, time.time()),
        )
        return int(cursor.lastrowid or 0)

    def set_job(self, probes: list[int], job: int) -> None:
        """Says which job answers some probes; what they were answered before is forgotten."""
        for probe in probes:
            self._database.write(
                "UPDATE probes SET job = ?, before = NULL, after = NULL, partial = NULL"
                " WHERE id = ?",
                (job, probe),
            )

    def set_partial(self, side: Side, texts: Mapping[int, str]) -> None:
        """Keeps how far some answers have come: text by probe."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE probes SET partial = json_set(coalesce(partial, '{}'), ?, ?) WHERE id = ?",
                [(f"$.{side}", text, probe) for probe, text in texts.items()],
            )

    def set_answers(
        self,
        probe: int,
        model: str,
        runs: tuple[int | None, int | None],
        before: Answered,
        after: Answered | None,
    ) -> None:
        """Keeps the answers to a probe.

        Args:
            probe: which.
            model: name of the base.
            runs: what "before" and "after" were; None for the base.
            before, after: the answers; no `after` when the base was asked alone.
        """
        self._database.write(
            "UPDATE probes SET model = ?, before_run = ?, run = ?, before = ?, after = ?,"
            " partial = NULL WHERE id = ?",
            (
                model,
                *runs,
                to_json(before.as_dict()),
                None if after is None else to_json(after.as_dict()),
                probe,
            ),
        )

    def pin(self, probe: int, pinned: bool) -> None:
        """Pins or unpins a probe."""
        self._database.write("UPDATE probes SET pinned = ? WHERE id = ?", (int(pinned), probe))

    def delete(self, probes: list[int]) -> None:
        """Takes probes out of the history."""
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM probes WHERE id = ?", [(p,) for p in probes])

    def recent(self, count: int) -> list[tuple[ProbeRow, ...]]:
        """What was asked last, newest first; the questions about one fact are together."""
        rows = self._database.rows(
            f"WITH grouped AS (SELECT *, {_CARD} AS card FROM probes)"
            " SELECT * FROM grouped JOIN (SELECT card AS newest, max(id) AS place FROM grouped"
            " GROUP BY card ORDER BY place DESC LIMIT ?) ON card = newest ORDER BY place DESC, id",
            (count,),
        )
        return [
            tuple(_probe(row) for row in card)
            for _, card in itertools.groupby(rows, key=lambda row: row["card"])
        ]

    def count(self) -> int:
        """How many cards `recent` could return."""
        return self._database.number(f"SELECT count(DISTINCT {_CARD}) FROM probes")

    def pinned(self) -> list[ProbeRow]:
        """The pinned probes, oldest first."""
        rows = self._database.rows("SELECT * FROM probes WHERE pinned ORDER BY id")
        return [_probe(row) for row in rows]

    def get(self, probe: int) -> ProbeRow | None:
        """One probe; None when it is gone."""
        row = self._database.row("SELECT * FROM probes WHERE id = ?", (probe,))
        return _probe(row) if row is not None else None

    def beside(self, probe: ProbeRow) -> list[ProbeRow]:
        """The probes that stand on one card with this one, itself included."""
        if not probe.role:
            return [probe]
        rows = self._database.rows(
            "SELECT * FROM probes WHERE job IS ? AND role != '' ORDER BY id", (probe.job,)
        )
        return [_probe(row) for row in rows]

    def among(self, probes: list[int]) -> list[ProbeRow]:
        """Those of some probes that are still there."""
        return [row for row in map(self.get, probes) if row is not None]

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
        return [_pinned(row) for row in rows]


def _pinned(row: sqlite3.Row) -> PinnedAnswer:
    said = json.loads(row["answer"])
    how = str(said.get("how", ""))
    return PinnedAnswer(row["probe"], row["prompt"], row["epoch"], said["text"], how)


def _probe(row: sqlite3.Row) -> ProbeRow:
    return ProbeRow(
        id=row["id"],
        prompt=row["prompt"],
        chat=bool(row["chat"]),
        pinned=bool(row["pinned"]),
        job=row["job"],
        model=row["model"],
        before_run=row["before_run"],
        run=row["run"],
        before=Answered.from_json(row["before"]),
        after=Answered.from_json(row["after"]),
        partial=json.loads(row["partial"] or "{}"),
        fact=row["fact"],
        role=row["role"],
    )
