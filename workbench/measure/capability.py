"""General capability by lm-evaluation-harness, on the model in memory, before and after an edit.

The harness is the optional extra ``capability``. It sees the base and then the base with the
patch swapped in; the same items both times. A task that cannot be run says why, and the others
go on. Nothing is downloaded unless the caller allows it. Our own tasks for the built-in model lie
in ``assets/capability``; what a run edits is taken out of them.
"""

import copy
import importlib.metadata
import importlib.util
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import ModelError, SettingsError
from workbench.facts.fact import Fact
from workbench.measure.capability_result import (
    BUILTIN_TASKS,
    SUITES,
    Capability,
    TaskResult,
    task_result,
)
from workbench.measure.statistics import normal_interval
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.paths import assets_dir

__all__ = ["harness_version", "measure_capability", "tasks_of"]

BATCH = 32
MISSING = (
    "General capability is measured with lm-evaluation-harness, which is not installed. Install "
    "it with: pip install 'locft-workbench[capability]'"
)
OFFLINE = "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"

OnProgress = Callable[[int, int, str], None]


def harness_version() -> str:
    """The installed harness's version; empty when it is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        return ""
    return importlib.metadata.version("lm_eval")


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
    tasks = tasks_of(names)
    if limit is not None and limit < 1:
        raise SettingsError(f"limit is {limit}; it must be 1 or more, or empty for all items.")
    version = harness_version()
    if not version:
        raise ModelError(MISSING)
    if patch is not None:
        patch.check(model)
    with _network(network), tempfile.TemporaryDirectory() as folder:
        harness = _Harness(model, tasks, Path(folder), facts, limit)
        sides: list[dict[str, _Scores]] = []
        steps = len(tasks) * (1 if patch is None else 2)
        for change in (None, patch) if patch is not None else (None,):
            with change.applied(model) if change is not None else nullcontext():
                side: dict[str, _Scores] = {}
                for task in tasks:
                    if on_progress is not None:
                        done = len(sides) * len(tasks) + len(side)
                        on_progress(done, steps, task)
                    known = sides[0][task] if sides else None
                    side[task] = known if known and known.problem else harness.run(task)
            sides.append(side)
        if on_progress is not None:
            on_progress(steps, steps, "")
    results = [_result(task, [side[task] for side in sides], seed) for task in tasks]
    return Capability(tuple(results), limit, version)


class _Scores:
    """What one task gave on one state of the model."""

    def __init__(
        self,
        metric: str = "",
        items: dict[str, float] | None = None,
        value: float = 0.0,
        error: float = 0.0,
        count: int = 0,
        problem: str = "",
    ) -> None:
        self.metric, self.items, self.problem = metric, items or {}, problem
        self.value, self.error, self.count = value, error, count


def _result(task: str, sides: list[_Scores], seed: int) -> TaskResult:
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


class _Harness:
    """lm-evaluation-harness on a model in memory.

    Imported here, because that takes seconds and needs the optional extra.
    """

    def __init__(
        self,
        model: LanguageModel,
        tasks: Sequence[str],
        folder: Path,
        facts: Sequence[Fact],
        limit: int | None,
    ) -> None:
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        _be_quiet()

        write_own_tasks(folder, facts)
        foreign = any(task not in BUILTIN_TASKS for task in tasks)
        self._manager = TaskManager(include_path=str(folder), include_defaults=foreign)
        self._limit = limit
        # The harness may give a tokenizer a padding token, so it gets one of its own.
        self._model = HFLM(
            pretrained=model.network, tokenizer=copy.deepcopy(model.tokenizer), batch_size=BATCH
        )

    def run(self, task: str) -> _Scores:
        """One task on the model as it is now."""
        from lm_eval import simple_evaluate

        try:
            found = simple_evaluate(
                model=self._model,
                tasks=[task],
                limit=self._limit,
                task_manager=self._manager,
                log_samples=True,
                bootstrap_iters=0,
            )
        except Exception as error:
            return _Scores(problem=_why_not(task, error))
        return _scores(task, found)


def _scores(task: str, found: dict[str, Any]) -> _Scores:
    """The task's first metric, item by item where the items have one."""
    results = found["results"].get(task) or found.get("groups", {}).get(task) or {}
    names = [key for key in results if "," in key and "_stderr" not in key]
    if not names:
        return _Scores(problem=f"{task}: the harness gave no number for it.")
    metric, _, chosen = names[0].partition(",")
    items: dict[str, float] = {}
    for name, samples in found["samples"].items():
        for sample in samples:
            value = sample.get(metric)
            if isinstance(value, int | float) and sample.get("filter", chosen) == chosen:
                items[f"{name} {sample['doc_id']}"] = float(value)
    error = results.get(f"{metric}_stderr,{chosen}")
    error = float(error) if isinstance(error, int | float) else 0.0
    count = sum(len(samples) for samples in found["samples"].values())
    return _Scores(metric, items, float(results[names[0]]), error, count)


def _why_not(task: str, error: Exception) -> str:
    kind, line = type(error).__name__, (str(error).strip().splitlines() or [""])[0]
    chain: BaseException | None = error
    kinds = set()
    while chain is not None:
        kinds.add(type(chain).__name__)
        chain = chain.__cause__ or chain.__context__
    if kinds & {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError"} or any(
        words in str(error) for words in ("offline", "Couldn't reach", "Cannot find the")
    ):
        return (
            f"{task}: its data set is not on this machine, and the network is not used. Allow "
            "the network once (--network), and it is kept."
        )
    if isinstance(error, KeyError) or "not found" in line.lower():
        return f"{task}: lm-evaluation-harness knows no such task."
    return f"{task}: lm-evaluation-harness could not run it ({kind}: {line[:200]})."


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


def _be_quiet() -> None:
    """Progress is told by us; the harness's own bars would stand between the lines."""
    import datasets
    import lm_eval.api.task
    import lm_eval.models.huggingface
    from tqdm import tqdm

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()

    def no_bar(*given: Any, **options: Any) -> Any:
        return tqdm(*given, **{**options, "disable": True})

    for module in (lm_eval.api.task, lm_eval.models.huggingface):
        module.tqdm = no_bar


@contextmanager
def _network(allowed: bool) -> Iterator[None]:
    """A block in which the hub's libraries stay offline, unless the network is allowed.

    They read the wish when they are imported, so that those imported already are told, too.
    """
    if allowed:
        yield
        return
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    import datasets.config
    import huggingface_hub.constants

    switches = (
        (datasets.config, "HF_DATASETS_OFFLINE"),
        (datasets.config, "HF_HUB_OFFLINE"),
        (huggingface_hub.constants, "HF_HUB_OFFLINE"),
    )
    were = [(module, name, getattr(module, name, None)) for module, name in switches]
    for module, name, value in were:
        if value is not None:
            setattr(module, name, True)
    try:
        yield
    finally:
        for module, name, value in were:
            if value is not None:
                setattr(module, name, value)
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
