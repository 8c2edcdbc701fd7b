"""A stress as its job keeps it: all that was asked and said, from which a report is made.

Earlier versions kept the table alone, of which there is no report. Knows nothing about models.
"""

from dataclasses import dataclass
from typing import Any

from workbench.errors import RecordError
from workbench.measure.stress_result import Stress
from workbench.measure.stress_rows import ROWS
from workbench.measure.stress_settings import StressSettings
from workbench.store.jobs import Job
from workbench.work.records import as_data, from_data

__all__ = ["KeptStress", "StressedFacts"]


@dataclass(frozen=True, slots=True)
class StressedFacts:
    """The facts of which some were asked.

    Args:
        count: how many.
        digest: see `facts_digest`.
    """

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class KeptStress:
    """A stress with what its report says beside.

    Args:
        stress: what came of it.
        facts: about which.
        versions: of the programs that measured it.

    Raises:
        RecordError: an answer counts for no row, or lacks the reply of a state.
        SettingsError: its settings are none.
    """

    stress: Stress
    facts: StressedFacts
    versions: dict[str, str]

    def __post_init__(self) -> None:
        for answer in self.stress.answers:
            if answer.row not in ROWS or None in [answer.on(side) for side in self.stress.sides]:
                raise RecordError("An answer of this stress is not whole. Stress it again.")
        StressSettings.from_dict(self.stress.settings)

    @classmethod
    def of(cls, job: Job) -> "KeptStress":
        """What a job found.

        Raises:
            RecordError: it keeps no stress, or the table alone.
            SettingsError: its settings are none.
        """
        if job.kind != "stress" or not cls.is_whole(job):
            raise RecordError("No answers are kept of this stress. Stress it again for a report.")
        return from_data(cls, job.result)

    @staticmethod
    def is_whole(job: Job) -> bool:
        """Whether a job seems to keep more than the table, at a glance."""
        found = job.result.get("stress")
        return isinstance(found, dict) and "answers" in found

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data, the table among it."""
        return {**as_data(self), "stress": self.stress.as_dict()}
