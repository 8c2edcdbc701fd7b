"""What an evaluation measures: one flat, frozen dataclass, checked when it is made.

The same fields, in the same words, on the page, on the command line, and in the record.
"""

from dataclasses import dataclass

from workbench.facts.forms import parse_asked
from workbench.work.settings import SettingsRecord, setting

__all__ = ["ALL_UP_TO", "DRAWN", "EvaluationSettings"]

ALL_UP_TO = 2000
DRAWN = 500


@dataclass(frozen=True, slots=True)
class EvaluationSettings(SettingsRecord):
    """Which measures are taken besides the strict and token ones, which judge every fact.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    written: int | None = setting(
        None,
        "For how many facts, drawn by the seed, answers are written (generated, and locality as "
        f"unchanged); 0 for none; empty: all of up to {ALL_UP_TO:,} facts, else {DRAWN}.",
        label="Written answers",
        unit="facts",
    )
    forms: tuple[str, ...] = setting(
        (),
        "In which forms questions are asked, besides raw (the prompt to be continued): question, "
        "chat (through the template); raw alone: no further ones; empty: all that the model knows, "
        f"for all of up to {ALL_UP_TO:,} facts, else {DRAWN}.",
        label="Forms asked",
        metavar="FORM",
    )
    health: bool = setting(
        False,
        "Also look at the writing: entropy, endings, perplexity.",
        label="Health of the writing",
    )
    capability: tuple[str, ...] = setting(
        (),
        "Tasks of general capability: builtin, paper, or names of lm-evaluation-harness.",
        label="General capability",
        metavar="TASK",
        empty="none",
    )
    limit: int | None = setting(
        None, "Most items of a capability task; empty: all.", label="Items a task", empty="all"
    )
    network: bool = setting(
        False, "Let capability tasks download their data.", label="Allow the network"
    )
    seed: int = setting(0, "Draws facts and resamples.", label="Seed of the evaluation")

    def __post_init__(self) -> None:
        object.__setattr__(self, "capability", tuple(name for name in self.capability if name))
        object.__setattr__(self, "forms", parse_asked(self.forms))
        self._require_whole("written", least=0, optional=True)
        self._require_whole("limit", least=1, optional=True)
        self._require_whole("seed", least=0)

    def written_of(self, facts: int) -> int:
        """For how many of so many facts answers are written."""
        if self.written is None:
            return facts if facts <= ALL_UP_TO else DRAWN
        return min(self.written, facts)
