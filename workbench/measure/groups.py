"""Facts in groups, so that one can see where an edit does well and where not.

A group is only made from what the facts themselves say: the pattern of a prompt around its
subject, the length of the answer, and, where known, the file that a fact came from and the epoch
in which it was learned. Knows nothing about models.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.facts.fact import Fact
from workbench.measure.protocols import Measured
from workbench.measure.verdicts import QuestionVerdicts, Side, measure_rows

__all__ = ["GROUP_HELP", "Group", "answer_lengths", "group_rows", "prompt_patterns"]

GROUP_HELP = {
    "pattern": "the prompt with its subject taken out, which tells the relation",
    "source": "the file that the fact came from",
    "answer length": "tokens of the new answer, its end not counted",
    "learned in": "the last epoch in which the fact was still wrong when its turn came",
}
NAMED = 20
OTHERS = "all others"
LONG = 4
FEW = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Some facts that have something in common, with their own shares.

    Args:
        by: what they have in common, see `GROUP_HELP`.
        label: the value they share.
        facts: how many there are.
        measured: the shares after the edit, by name; before it where there is no edit.
    """

    by: str
    label: str
    facts: int
    measured: Mapping[str, Measured]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "by": self.by,
            "label": self.label,
            "facts": self.facts,
            "measured": {name: number.as_dict() for name, number in self.measured.items()},
        }


def prompt_patterns(facts: Sequence[Fact]) -> list[str | None]:
    """Each prompt with its subject replaced by "…"; None where the subject is not in it."""
    return [
        fact.prompt.replace(fact.subject, "…")
        if fact.subject and fact.subject in fact.prompt
        else None
        for fact in facts
    ]


def answer_lengths(tokens: Sequence[int]) -> list[str]:
    """Labels for answers of so many tokens."""
    names = {1: "1 token"}
    return [
        f"{LONG} tokens or more" if count >= LONG else names.get(count, f"{count} tokens")
        for count in tokens
    ]


def group_rows(
    rows: Sequence[QuestionVerdicts],
    labels: Mapping[str, Sequence[str | None]],
    *,
    edited: bool,
    seed: int = 0,
) -> list[Group]:
    """The shares of every group.

    A way to group that does not divide the facts, or leaves hardly two in a group, is left out.

    Args:
        rows: of one evaluation.
        labels: for each way to group, a label for each fact; None belongs to no group.
        edited: whether the shares after an edit are wanted, or those of the base.
        seed: draws the resamples of the intervals.
    """
    found = []
    for by, names in labels.items():
        sizes = Counter(name for name in names if name is not None)
        named = {name for name, _ in sizes.most_common(NAMED)}
        shown = [name if name is None or name in named else OTHERS for name in names]
        members: dict[str, list[QuestionVerdicts]] = {}
        for row in rows:
            label = shown[row.fact]
            if label is not None:
                members.setdefault(label, []).append(row)
        total = Counter(name for name in shown if name is not None)
        if len(members) < 2 or len(members) > max(FEW, total.total() / 2):
            continue
        side: Side = "after" if edited else "before"
        found += [
            Group(by, label, total[label], measure_rows(members[label], side, seed=seed))
            for label in sorted(members, key=lambda label: _order(by, label, total))
        ]
    return found


def _order(by: str, label: str, total: Counter[str]) -> tuple[bool, float, str]:
    """Groups that have an order of their own keep it; others stand by size."""
    words = label.split() or [""]
    number = words[-1] if by == "learned in" else words[0]
    rank = float(number) if number.isdecimal() else float(-total[label])
    return label == OTHERS, rank, label
