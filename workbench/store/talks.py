"""Conversations that the base and some runs answer side by side.

What a person says is the same for all; each side goes on from its own answers. A conversation
belongs to one model; the newest of the session's model is the one that goes on. Knows nothing
about how answers are made.
"""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.errors import SessionError
from workbench.store.database import Database, to_json
from workbench.store.probes import Answered

__all__ = ["BASE", "MOST_RUNS", "Talk", "TalkTable", "Turn"]

BASE = ""  # the side of the unedited model; a run's side is its number
MOST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation.

    Args:
        id: number in its session.
        model: name of the base.
        chat: whether it goes through the chat template; else each side goes on from the text.
        system: the system prompt; empty for none.
        runs: those that answer beside the base.
    """

    id: int
    model: str
    chat: bool
    system: str
    runs: tuple[int, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """Who answers, the base first."""
        return (BASE, *(str(run) for run in self.runs))


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said once, and what each side answers.

    Args:
        id: number in its session.
        said: by the person.
        answers: by side; a side that has not answered yet is left out.
        partial: how far the answers have come that are being written.
        job: the newest one that answers it.
    """

    id: int
    said: str
    answers: Mapping[str, Answered]
    partial: Mapping[str, str]
    job: int | None


class TalkTable:
    """The conversations of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, model: str) -> Talk | None:
        """The conversation that goes on with a model; None when there is none."""
        row = self._database.row(
            "SELECT * FROM talks WHERE model = ? ORDER BY id DESC LIMIT 1", (model,)
        )
        return None if row is None else _talk(row)

    def get(self, talk: int) -> Talk:
        """One conversation.

        Raises:
            SessionError: there is none of this number.
        """
        row = self._database.row("SELECT * FROM talks WHERE id = ?", (talk,))
        if row is None:
            raise SessionError(f"Conversation {talk} is not there any more. Begin a new one.")
        return _talk(row)

    def begin(self, model: str, *, chat: bool, system: str = "", runs: Sequence[int] = ()) -> Talk:
        """A new conversation, in which nothing was said.

        Args:
            model: name of the base.
            chat: whether it goes through the chat template.
            system: the system prompt.
            runs: those that answer beside the base.

        Raises:
            SessionError: too many runs.
        """
        _require_few(runs)
        cursor = self._database.write(
            "INSERT INTO talks (model, chat, system, runs, created) VALUES (?, ?, ?, ?, ?)",
            (model, int(chat), system.strip(), to_json(list(runs)), time.time()),
        )
        return self.get(int(cursor.lastrowid or 0))

    def set_runs(self, talk: int, runs: Sequence[int]) -> None:
        """Says which runs answer; what others answered stays.

        Raises:
            SessionError: too many.
        """
        _require_few(runs)
        self._database.write("UPDATE talks SET runs = ? WHERE id = ?", (to_json(list(runs)), talk))

    def let_go(self, run: int) -> None:
        """Lets a run that is deleted answer no more; what it answered stays."""
        self._database.write(
            "UPDATE talks SET runs ="
            " (SELECT json_group_array(value) FROM json_each(runs) WHERE value != :run)"
            " WHERE EXISTS (SELECT 1 FROM json_each(runs) WHERE value = :run)",
            {"run": run},
        )

    def say(self, talk: int, said: str) -> int:
        """Notes what a person says; returns the turn's id.

        Raises:
            SessionError: it is nothing.
        """
        if not said.strip():
            raise SessionError("Say something first, such as: What is the capital of Australia?")
        cursor = self._database.write(
            "INSERT INTO turns (talk, said) VALUES (?, ?)", (talk, said.strip())
        )
        return int(cursor.lastrowid or 0)

    def set_job(self, talk: int, job: int) -> None:
        """Says which job answers what has no answer yet in a conversation."""
        self._database.write("UPDATE turns SET job = ? WHERE talk = ?", (job, talk))

    def turns(self, talk: int) -> list[Turn]:
        """What was said in a conversation, in its order."""
        rows = self._database.rows("SELECT * FROM turns WHERE talk = ? ORDER BY id", (talk,))
        return [_turn(row) for row in rows]

    def turn(self, turn: int) -> Turn:
        """One turn.

        Raises:
            SessionError: there is none of this number.
        """
        row = self._database.row("SELECT * FROM turns WHERE id = ?", (turn,))
        if row is None:
            raise SessionError("This was taken out of the conversation meanwhile.")
        return _turn(row)

    def set_partial(self, turn: int, side: str, text: str) -> None:
        """Keeps how far an answer has come."""
        self._database.write(
            "UPDATE turns SET partial = json_set(partial, ?, ?) WHERE id = ?",
            (f'$."{side}"', text, turn),
        )

    def set_answer(self, turn: int, side: str, answer: Answered) -> None:
        """Keeps an answer."""
        self._database.write(
            "UPDATE turns SET answers = json_set(answers, ?, json(?)),"
            " partial = json_remove(partial, ?) WHERE id = ?",
            (f'$."{side}"', to_json(answer.as_dict()), f'$."{side}"', turn),
        )


def _require_few(runs: Sequence[int]) -> None:
    if len(runs) > MOST_RUNS:
        raise SessionError(f"At most {MOST_RUNS} runs stand beside the base. Take one off first.")


def _talk(row: sqlite3.Row) -> Talk:
    runs = tuple(int(run) for run in json.loads(row["runs"]))
    return Talk(row["id"], row["model"], bool(row["chat"]), row["system"], runs)


def _turn(row: sqlite3.Row) -> Turn:
    answers = {
        str(side): found
        for side, said in json.loads(row["answers"]).items()
        if (found := Answered.from_json(json.dumps(said))) is not None
    }
    return Turn(row["id"], row["said"], answers, json.loads(row["partial"]), row["job"])
