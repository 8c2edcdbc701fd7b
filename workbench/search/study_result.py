"""What a study found: the best run of every arm, side by side, and whether the paper is right.

The score of a run is the plain mean of its strict reliability, generalization and locality
(unchanged), as in a sweep; an arm is judged by its best rate on the study's own facts, which
flatters every arm alike. Knows nothing about models.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.measure.protocols import SCORED, Measured, MeasureTable, Protocol, metric_name
from workbench.search.capacity import capacity_of, capacity_sentence, density
from workbench.search.rivals import frontier, rival_sentences
from workbench.search.score import score_rows
from workbench.search.study_events import ArmExamined, ArmLeftOut, LocationChosen, TrialDone
from workbench.search.study_settings import LOCFT, StudySettings
from workbench.search.sweep_events import LocationDone
from workbench.work.events import Event

__all__ = ["StudyResult", "score_of"]

OF_RIVALS = (
    "method",
    "mode",
    "tried",
    "memory_bytes",
    "weights",
    "first",
    "first_then",
    "first_now",
)
"""What stands in the rows of a study of methods besides."""
ALIKE = 0.01
"""Scores within one point are alike for people."""


def score_of(trial: TrialDone) -> float:
    """Mean of what was measured of strict reliability, generalization and locality."""
    there = [trial.measured(metric_name(measure, "strict")) for measure in SCORED]
    values = [number.value for number in there if number is not None]
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class StudyResult:
    """Everything that is kept of a study, as people see it.

    Args:
        settings: the resolved settings.
        trials: the runs.
        examined: the arms' general capability.
        chosen: where LocFT-BF tuned, and why; None while that is not known.
        swept: the rows of the sweep.
        left_out: why some arms could not be run, by their labels.
    """

    settings: StudySettings
    trials: tuple[TrialDone, ...]
    examined: tuple[ArmExamined, ...]
    chosen: LocationChosen | None
    swept: tuple[LocationDone, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: StudySettings, events: Iterable[Event]) -> "StudyResult":
        """Gathers what matters of a study's events."""
        events = list(events)
        chosen = [event for event in events if isinstance(event, LocationChosen)]
        trials = tuple(event for event in events if isinstance(event, TrialDone))
        done = {trial.label for trial in trials}
        return cls(
            settings,
            trials,
            tuple(event for event in events if isinstance(event, ArmExamined)),
            chosen[-1] if chosen else None,
            tuple(event for event in events if isinstance(event, LocationDone)),
            {
                event.label: event.problem
                for event in events
                if isinstance(event, ArmLeftOut) and event.label not in done
            },
        )

    def best(self) -> dict[str, TrialDone]:
        """Each arm's best run, in the order of the arms."""
        found: dict[str, TrialDone] = {}
        for trial in self.trials:
            if trial.label not in found or score_of(trial) > score_of(found[trial.label]):
                found[trial.label] = trial
        return found

    def table(self, protocol: Protocol) -> MeasureTable:
        """The best runs by one protocol; the base stands first."""
        best = self.best()
        rows: dict[str, dict[str, Measured]] = {}
        for label, trial in best.items():
            sides = {label: trial.after} if rows else {"base": trial.before, label: trial.after}
            for name, side in sides.items():
                rows[name] = {}
                for metric, data in side.items():
                    number = Measured.from_dict(metric, data)
                    if number.protocol == protocol:
                        rows[name][number.measure] = number
        return MeasureTable(protocol, rows)

    def capability_of(self, label: str) -> float | None:
        """Mean over tasks after an arm's best run, relative to the base; None if not measured."""
        for row in self.examined:
            found = row.found if row.label == label else None
            if found is not None:
                before, after = found.mean
                return after / before if before and after is not None else None
        return None

    def rows(self) -> list[dict[str, Any]]:
        """The best runs as flat JSON-ready rows, every share under its protocol's name.

        A study of locations has a row for each of them, the best first.
        """
        if self.settings.kind == "locations":
            return self._location_rows()
        rivals, scale = self.settings.kind == "methods", self.settings.kind == "scale"
        rows = [
            {
                "label": trial.label,
                "at": trial.at,
                "learning_rate": trial.learning_rate,
                "batch_size": trial.batch_size,
                "facts": trial.facts,
                "passes": trial.passes,
                "steps": trial.steps,
                "seconds": trial.seconds,
                "score": score_of(trial),
                "capability_kept": self.capability_of(label),
                "figures": {side: dict(found) for side, found in trial.figures.items()},
                **{name: data["value"] for name, data in trial.after.items()},
                **({name: getattr(trial, name) for name in OF_RIVALS} if rivals else {}),
                **(_crowding(trial) if scale and trial.weights else {}),
            }
            for label, trial in self.best().items()
        ]
        if rivals:
            best = set(frontier(rows))
            rows = [{**row, "pareto": number in best} for number, row in enumerate(rows)]
        return rows

    def _location_rows(self) -> list[dict[str, Any]]:
        by_at = {(row.at, row.learning_rate): row for row in self.swept}
        scores = sorted(score_rows(self.swept), key=lambda row: -row.score)
        return [
            {
                "label": score.at,
                "at": score.at,
                "learning_rate": score.learning_rate,
                "steps": by_at[score.at, score.learning_rate].steps,
                "seconds": score.seconds,
                "score": score.score,
                **{
                    metric_name(measure, "strict"): getattr(score, measure)
                    for measure in SCORED
                    if getattr(score, measure) is not None
                },
            }
            for score in scores
        ]

    def record(self, model: str, asked: str, finished: bool = True) -> dict[str, Any]:
        """All there is to tell about the study, as JSON-ready data.

        Args:
            model: name of the base.
            asked: what is the same for every arm.
            finished: whether everything was tried.
        """
        return {
            "kind": self.settings.kind,
            "model": model,
            "settings": self.settings.as_dict(),
            "asked": asked,
            "rows": self.rows(),
            "sentences": self.sentences(),
            "finished": finished,
        }

    def sentences(self) -> list[str]:
        """What the study says, for people."""
        best = self.best()
        said = []
        if self.chosen is not None:
            said.append(f"Recommended for LocFT-BF: {self.chosen.at}. {self.chosen.reason}")
        if self.settings.kind == "pipelines":
            said += [_ordering(best), self._headline(best)]
        elif self.settings.kind == "scale":
            said.append(_scaling(list(best.values())))
            found = capacity_of(self.rows())
            said += [capacity_sentence(found)] if found is not None else []
        elif self.settings.kind == "methods":
            kept = {label: self.capability_of(label) for label in best}
            scores = {label: score_of(trial) for label, trial in best.items()}
            said += rival_sentences(list(best.values()), kept, scores)
        said += [f"Left out: {label}. {why}" for label, why in self.left_out.items()]
        said += [row.problem for row in self.examined[:1] if row.problem]
        return [sentence for sentence in said if sentence]

    def _headline(self, best: dict[str, TrialDone]) -> str:
        """Breadth-first mini-batch against depth-first sample-wise, measure by measure."""
        old, new = best.get("depth-first sample-wise"), best.get("breadth-first mini-batch")
        if old is None or new is None:
            return ""
        parts, ahead = [], True
        for measure in ("reliability", "locality"):
            one, other = new.measured(f"{measure}_strict"), old.measured(f"{measure}_strict")
            if one is None or other is None:
                return ""
            ahead &= one - other >= (0 if measure == "reliability" else 1e-9)
            parts.append(f"{measure} {one.value:.2f} against {other.value:.2f} (strict)")
        kept = [self.capability_of(trial.label) for trial in (new, old)]
        if kept[0] is not None and kept[1] is not None:
            ahead &= kept[0] > kept[1]
            parts.append(f"capability kept {kept[0]:.0%} against {kept[1]:.0%}")
        else:
            parts.append("capability not measured")
        lead = "is ahead of" if ahead else "is not ahead of"
        return f"Breadth-first mini-batch {lead} depth-first sample-wise: {', '.join(parts)}."


def _ordering(best: dict[str, TrialDone]) -> str:
    """Whether the paper's ordering holds, claim by claim."""
    names = {
        "breadth-first beats depth-first, sample-wise": (
            "breadth-first sample-wise",
            "depth-first sample-wise",
        ),
        "breadth-first beats depth-first, mini-batch": (
            "breadth-first mini-batch",
            "depth-first mini-batch",
        ),
        "breadth-first mini-batch beats depth-first sample-wise, the old way": (
            "breadth-first mini-batch",
            "depth-first sample-wise",
        ),
        "LocFT-BF at its location beats breadth-first at the plain one": (
            LOCFT,
            "breadth-first mini-batch",
        ),
    }
    if not all(label in best for pair in names.values() for label in pair):
        return ""
    held: list[str] = []
    not_held: list[str] = []
    for claim, (better, worse) in names.items():
        one, other = score_of(best[better]), score_of(best[worse])
        verdict = f"{claim} ({100 * one:.0f} against {100 * other:.0f})"
        (held if one - other > ALIKE else not_held).append(verdict)
    if not not_held:
        return f"The paper's ordering holds here: {'; '.join(held)} of 100 points."
    missing = f"does not hold that {'; '.join(not_held)}"
    if not held:
        return f"The paper's ordering does not hold here: it {missing} of 100 points."
    return f"The paper's ordering holds in part: {'; '.join(held)}; it {missing} of 100 points."


def _crowding(trial: TrialDone) -> dict[str, Any]:
    """How many facts share how many tuned weights."""
    return {"weights": trial.weights, "density": density(trial.facts, trial.weights)}


def _scaling(trials: Sequence[TrialDone]) -> str:
    if len(trials) < 2:
        return ""
    first, last = min(trials, key=lambda t: t.facts), max(trials, key=lambda t: t.facts)
    parts = []
    for measure in SCORED:
        small, large = (t.measured(metric_name(measure, "strict")) for t in (first, last))
        if small is not None and large is not None:
            parts.append(f"{measure} {small.value:.2f} to {large.value:.2f}")
    return f"From {first.facts:,} to {last.facts:,} facts: {', '.join(parts)} (strict)."
