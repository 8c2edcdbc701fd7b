"""lm-evaluation-harness on a model in memory: one task at a time, item by item, offline if asked.

The harness is the optional extra ``capability``; it is imported when it is used, because that
takes seconds. A task that cannot be run says why. Knows nothing about edits, nor about what the
numbers mean.
"""

import copy
import importlib.metadata
import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.measure.capability_result import BUILTIN_TASKS
from workbench.model.language_model import LanguageModel
from workbench.model.shipped import plain_generation
from workbench.model.stoppable import stoppable
from workbench.work.stop import Cancelled, Stop

__all__ = ["Harness", "TaskScores", "harness_version", "network_only_if"]

BATCH = 32
OFFLINE = "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"


def harness_version() -> str:
    """The installed harness's version; empty when it is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        return ""
    return importlib.metadata.version("lm_eval")


@dataclass(frozen=True)
class TaskScores:
    """What one task gave on one state of the model.

    Args:
        metric: what was measured.
        items: the score of each item by its name, where the items have one.
        value: the metric of the whole.
        error: its standard error.
        count: how many items were asked.
        problem: why the task was not run; empty when it was.
    """

    metric: str = ""
    items: dict[str, float] = field(default_factory=dict)
    value: float = 0.0
    error: float = 0.0
    count: int = 0
    problem: str = ""


class Harness:
    """lm-evaluation-harness on a model in memory.

    Args:
        model: is asked as it is at that moment.
        tasks: the names of all that will be run.
        folder: where our own tasks lie.
        limit: most items a task; None for all.
    """

    def __init__(
        self,
        model: LanguageModel,
        tasks: Sequence[str],
        folder: Path,
        limit: int | None,
    ) -> None:
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        _be_quiet()
        foreign = any(task not in BUILTIN_TASKS for task in tasks)
        self._manager = TaskManager(include_path=str(folder), include_defaults=foreign)
        self._limit, self._asked = limit, model
        # The harness may give a tokenizer a padding token, so it gets one of its own.
        self._model = HFLM(
            pretrained=model.network, tokenizer=copy.deepcopy(model.tokenizer), batch_size=BATCH
        )

    def run(self, task: str, stop: Stop | None = None) -> TaskScores:
        """One task on the model as it is now.

        Args:
            task: its name.
            stop: the wish to end it, asked before every pass through the model.

        Raises:
            Cancelled: somebody wanted it to end.
        """
        from lm_eval import simple_evaluate

        try:
            # The harness leaves open what its tasks do not name; the model would fill it in.
            with stoppable(self._asked, stop), plain_generation(self._asked.network):
                found = simple_evaluate(
                    model=self._model,
                    tasks=[task],
                    limit=self._limit,
                    task_manager=self._manager,
                    log_samples=True,
                    bootstrap_iters=0,
                )
        except Cancelled:
            raise
        except Exception as error:
            return TaskScores(problem=_why_not(task, error))
        return _scores(task, found)


def _scores(task: str, found: dict[str, Any]) -> TaskScores:
    """The task's first metric, item by item where the items have one."""
    results = found["results"].get(task) or found.get("groups", {}).get(task) or {}
    names = [key for key in results if "," in key and "_stderr" not in key]
    if not names:
        return TaskScores(problem=f"{task}: the harness gave no number for it.")
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
    return TaskScores(metric, items, float(results[names[0]]), error, count)


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
def network_only_if(allowed: bool) -> Iterator[None]:
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
