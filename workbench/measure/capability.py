"""General capability by lm-evaluation-harness, on the model in memory, before and after an edit.

The harness sees the base and then the base with the patch swapped in; the same items both times.
A task that cannot be run says why, and the others go on. Nothing is downloaded unless the caller
allows it. Our own tasks for the built-in model lie in ``assets/capability``; what a run edits is
taken out of them.
"""

import json
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from workbench.errors import ModelError, SettingsError
from workbench.facts.fact import Fact
from workbench.measure.capability_result import SUITES, Capability, TaskResult, task_result
from workbench.measure.harness import Harness, TaskScores, harness_version, network_only_if
from workbench.measure.statistics import normal_interval
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.paths import assets_dir
from workbench.work.events import Progress, follow
from workbench.work.stop import Stop

__all__ = ["MISSING", "harness_version", "measure_capability", "measuring_capability", "tasks_of"]

MISSING = (
    "General capability is measured with lm-evaluation-harness, which is not installed. Install "
    "it with: pip install 'locft-workbench[capability]'"
)

OnProgress = Callable[[int, int, str], None]


def tasks_of(names: Sequence[str]) -> tuple[str, ...]:
    """Task names, with ``builtin`` and ``paper`` standing for their suites, each once.

    Raises:
        SettingsError: there is none.
    """
    found = [task for name in names for task in SUITES.get(name, (name,)) if task]
    if not found:
        raise SettingsError(
            "No capability task is named. Choose builtin, paper, or a task of "
            "lm-evaluation-harness such as hellaswag."
        )
    return tuple(dict.fromkeys(found))


def measure_capability(
    model: LanguageModel,
    names: Sequence[str],
    patch: Patch | None = None,
    *,
    facts: Sequence[Fact] = (),
    limit: int | None = None,
    network: bool = False,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Capability:
    """Runs tasks on the base and, where there is a patch, on the edited model.

    Args:
        model: the base; it stays as it is.
        names: tasks of the harness, ``builtin``, or ``paper``.
        patch: the edit.
        facts: what it edits; our own items about their subjects are left out.
        limit: most items a task; None for all.
        network: whether data sets may be downloaded.
        seed: draws the resamples of the intervals.
        on_progress: called with steps done, steps in all and what comes next; what it raises
            ends the work.

    Raises:
        ModelError: the harness is not installed.
        PatchError: the patch belongs to another base.
        SettingsError: no task is named, or the limit is below 1.
    """

    def tell(step: Progress) -> None:
        if on_progress is not None:
            on_progress(int(step.done), int(step.total), step.line)

    work = measuring_capability(
        model, names, patch, facts=facts, limit=limit, network=network, seed=seed
    )
    return follow(work, tell)


def measuring_capability(
    model: LanguageModel,
    names: Sequence[str],
    patch: Patch | None = None,
    *,
    facts: Sequence[Fact] = (),
    limit: int | None = None,
    network: bool = False,
    seed: int = 0,
    stop: Stop | None = None,
) -> Generator[Progress, None, Capability]:
    """`measure_capability` in steps: says which task comes next, and returns what was measured.

    Args:
        model, names, patch, facts, limit, network, seed: see `measure_capability`.
        stop: the wish to end it, asked before every pass through the model.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError, PatchError, SettingsError: see `measure_capability`.
    """
    tasks = tasks_of(names)
    if limit is not None and limit < 1:
        raise SettingsError(f"limit is {limit}; it must be 1 or more, or empty for all items.")
    version = harness_version()
    if not version:
        raise ModelError(MISSING)
    if patch is not None:
        patch.check(model)
    with network_only_if(network), tempfile.TemporaryDirectory() as folder:
        write_own_tasks(Path(folder), facts)
        harness = Harness(model, tasks, Path(folder), limit)
        sides: list[dict[str, TaskScores]] = []
        steps = len(tasks) * (1 if patch is None else 2)
        for change in (None, patch) if patch is not None else (None,):
            with change.applied(model) if change is not None else nullcontext():
                side: dict[str, TaskScores] = {}
                for task in tasks:
                    yield Progress(len(sides) * len(tasks) + len(side), steps, task)
                    known = sides[0][task] if sides else None
                    side[task] = known if known and known.problem else harness.run(task, stop)
            sides.append(side)
        yield Progress(steps, steps)
    results = [_result(task, [side[task] for side in sides], seed) for task in tasks]
    return Capability(tuple(results), limit, version)


def _result(task: str, sides: list[TaskScores], seed: int) -> TaskResult:
    first, last = sides[0], sides[-1]
    for side in sides:
        if side.problem:
            return TaskResult(task, problem=side.problem)
    if first.items and first.items.keys() == last.items.keys():
        keys = list(first.items)
        after = [last.items[key] for key in keys] if len(sides) > 1 else None
        return task_result(task, first.metric, [first.items[k] for k in keys], after, seed=seed)
    # A metric of the whole, such as BLEU: the harness's standard error stands for the resamples.
    spans = [normal_interval(side.value, side.error) for side in (first, last)]
    result = TaskResult(task, first.metric, first.count, first.value, None, spans[0])
    if len(sides) == 1:
        return result
    error = (first.error**2 + last.error**2) ** 0.5
    return replace(
        result,
        after=last.value,
        after_interval=spans[1],
        change_interval=normal_interval(last.value - first.value, error),
    )


def write_own_tasks(folder: Path, facts: Sequence[Fact]) -> None:
    """Copies our tasks into a folder, without items about what the facts edit.

    Args:
        folder: where the harness finds them.
        facts: what is edited.
    """
    subjects = {fact.subject.casefold() for fact in facts if fact.subject}
    prompts = {fact.prompt.casefold() for fact in facts}
    for source in sorted((assets_dir() / "capability").glob("*.yaml")):
        data = source.with_suffix(".jsonl")
        items = data.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in items if not _is_about(json.loads(line), subjects, prompts)]
        place = folder / data.name
        place.write_text("".join(kept or items), encoding="utf-8")
        task = source.read_text(encoding="utf-8").replace(data.name, json.dumps(str(place)))
        (folder / source.name).write_text(task, encoding="utf-8")


def _is_about(item: dict[str, str], subjects: set[str], prompts: set[str]) -> bool:
    subject = item.get("subject", "").casefold()
    return bool(subject and subject in subjects) or item["prompt"].casefold() in prompts
