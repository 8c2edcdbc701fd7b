"""What else a model can do, before and after an edit: results of lm-evaluation-harness.

The same items are asked before and after, so that a change is judged on the differences item by
item, which chance moves less than two separate shares. Knows nothing about models.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.measure.statistics import Interval, mean_intervals

__all__ = ["BUILTIN_TASKS", "PAPER_TASKS", "SUITES", "Capability", "TaskResult", "task_result"]

BUILTIN_TASKS = ("builtin_skills", "builtin_facts")
PAPER_TASKS = ("mmlu", "nq_open", "sst2", "wmt16-de-en", "gsm8k")
SUITES = {"builtin": BUILTIN_TASKS, "paper": PAPER_TASKS}


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task, or why it was not run.

    Args:
        task: its name in lm-evaluation-harness.
        metric: what was measured, such as ``exact_match``.
        items: how many items were asked.
        before, after: the metric; None when not measured.
        before_interval, after_interval: where the middle 90% of resamples of the items lie, or
            the harness's standard error gives it.
        change_interval: likewise for the change; None without an edit.
        problem: why the task was not run; empty when it was.
    """

    task: str
    metric: str = ""
    items: int = 0
    before: float | None = None
    after: float | None = None
    before_interval: Interval | None = None
    after_interval: Interval | None = None
    change_interval: Interval | None = None
    problem: str = ""

    @property
    def change(self) -> float | None:
        """How much the metric rose."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the change is more than noise."""
        span = self.change_interval
        return span is not None and (span[0] > 0 or span[1] < 0)

    @property
    def sentence(self) -> str:
        """What happened to this task, for people."""
        if self.problem:
            return self.problem
        if self.change is None or self.before is None or self.after is None:
            return f"{self.task}: {self.metric} {self.before or 0:.2f}."
        if not self.change:
            return f"{self.task} did not change ({self.after:.2f})."
        verb = "dropped" if self.change < 0 else "rose"
        noise = "more than noise" if self.is_clear else "within noise"
        return (
            f"{self.task} {verb} by {abs(self.change):.3f} ({self.before:.2f} to "
            f"{self.after:.2f}, {self.items:,} items), {noise}."
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TaskResult":
        """The inverse of `dataclasses.asdict`, also after a trip through JSON."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Capability:
    """All tasks of one measurement.

    Args:
        tasks: in the order in which they were asked for.
        limit: most items a task; None for all.
        harness: which version measured them.
    """

    tasks: tuple[TaskResult, ...]
    limit: int | None
    harness: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, with the sentence."""
        return {**asdict(self), "sentence": self.sentence}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Capability":
        """The inverse of `as_dict`."""
        tasks = tuple(TaskResult.from_dict(task) for task in data["tasks"])
        return cls(tasks, data["limit"], data["harness"])

    @property
    def mean(self) -> tuple[float | None, float | None]:
        """Means before and after over the tasks that were measured; None for none."""
        found = []
        for side in ("before", "after"):
            there = [getattr(task, side) for task in self.tasks if getattr(task, side) is not None]
            found.append(sum(there) / len(there) if there else None)
        return found[0], found[1]

    @property
    def sentence(self) -> str:
        """What dropped, by how much, and whether that is more than noise."""
        done = [task for task in self.tasks if task.change is not None]
        dropped = [task for task in done if task.is_clear and (task.change or 0) < 0]
        if not done:
            return " ".join(task.sentence for task in self.tasks) or "No task was asked for."
        if not dropped:
            lead = "Nothing dropped by more than noise."
        else:
            lead = f"{len(dropped)} of {len(done)} tasks dropped by more than noise."
        return " ".join([lead, *(task.sentence for task in self.tasks)])


def task_result(
    task: str,
    metric: str,
    before: Sequence[float],
    after: Sequence[float] | None,
    *,
    seed: int = 0,
) -> TaskResult:
    """A task from the scores of its items, the same items in the same order on both sides.

    Args:
        task: its name.
        metric: what the scores are.
        before: one score for each item.
        after: likewise; None without an edit.
        seed: draws the resamples.
    """
    old = np.asarray(before, dtype=np.float64)
    if after is None:
        (span,) = mean_intervals(old[:, None], seed=seed)
        return TaskResult(task, metric, len(old), float(old.mean()), None, span)
    new = np.asarray(after, dtype=np.float64)
    spans = mean_intervals(np.stack([old, new, new - old], axis=1), seed=seed)
    return TaskResult(
        task=task,
        metric=metric,
        items=len(old),
        before=float(old.mean()),
        after=float(new.mean()),
        before_interval=spans[0],
        after_interval=spans[1],
        change_interval=spans[2],
    )
