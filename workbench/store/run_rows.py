"""A run, and what became of one of its facts, as they stand in a session's database."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from workbench.methods.base import METHODS
from workbench.work.records import from_text
from workbench.work.settings import SettingsRecord

__all__ = ["FactOutcome", "Run", "RunOnto", "RunState", "outcome_of", "run_of"]

RunState = Literal["running", "done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class RunOnto:
    """To what a run adds its facts.

    Args:
        run: an earlier one.
        way: how: ``recompile`` or ``continue``.
        new: how many of the run's facts are new; they stand behind the others.
    """

    run: int
    way: Literal["recompile", "continue"]
    new: int


@dataclass(frozen=True, slots=True)
class Run:
    """One compilation of facts into a patch.

    Args:
        id: number in its session, from 1.
        job: the job that worked on it last.
        state: see `workbench.store.runs`.
        model: name of the base model.
        method: the key of the method.
        at: the places that it changes.
        settings: how; whole once the run has begun, automatic fields filled in.
        facts: how many facts it compiles.
        metrics: what `evaluate` said, JSON-ready; empty until then.
        outcome: how the training ended: reason, epochs, steps, seconds, losses.
        created, ended: seconds since the epoch.
        onto: the earlier run to whose edit it adds facts; None for none.
    """

    id: int
    job: int
    state: RunState
    model: str
    method: str
    at: tuple[str, ...]
    settings: SettingsRecord
    facts: int
    metrics: dict[str, Any]
    outcome: dict[str, Any]
    created: float
    ended: float | None
    onto: RunOnto | None = None

    @property
    def name(self) -> str:
        """How the page calls it."""
        return f"run {self.id}"

    @property
    def can_resume(self) -> bool:
        """Whether the run can go on where it ended."""
        return self.state in ("stopped", "interrupted")


@dataclass(frozen=True, slots=True)
class FactOutcome:
    """What a run did to one fact.

    Args:
        fact: id of the fact's row.
        prompt: its prompt as it stands now.
        target_new: the answer that was compiled.
        learned: by the strict protocol; None when not measured.
        before, after: generated answers; None when nobody asked yet.
    """

    fact: int
    prompt: str
    target_new: str
    learned: bool | None
    before: str | None
    after: str | None


def outcome_of(row: sqlite3.Row) -> FactOutcome:
    """A row of ``run_facts`` with its fact's prompt."""
    return FactOutcome(
        fact=row["fact"],
        prompt=row["prompt"],
        target_new=row["target_new"],
        learned=None if row["learned"] is None else bool(row["learned"]),
        before=row["before"],
        after=row["after"],
    )


def run_of(row: sqlite3.Row) -> Run:
    """A row of ``runs``."""
    return Run(
        id=row["id"],
        job=row["job"],
        state=row["state"],
        model=row["model"],
        method=row["method"],
        at=tuple(json.loads(row["places"])),
        settings=_settings(row["method"], json.loads(row["settings"])),
        facts=row["facts"],
        metrics=json.loads(row["metrics"]),
        outcome=json.loads(row["outcome"]),
        created=row["created"],
        ended=row["ended"],
        onto=from_text(RunOnto, row["onto"]) if row["onto"] else None,
    )


@dataclass(frozen=True, slots=True)
class UnknownSettings(SettingsRecord):
    """The settings of a method that is not installed here."""


def _settings(method: str, data: dict[str, Any]) -> SettingsRecord:
    known = METHODS.get(method)
    return known.settings.from_dict(data) if known is not None else UnknownSettings()
