"""Stressing a run, as the worker does it: all that was said is the job's result.

Nobody judges here: neither a second model is loaded nor an address asked because a session says so.
Imports the engine, so only the worker's process may import this module.
"""

from dataclasses import replace
from typing import Any

import torch
import transformers

from workbench.facts.fact import facts_digest
from workbench.measure.stress_settings import StressSettings
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.search.stress import stressing
from workbench.store.fact_rows import FactRow
from workbench.store.stresses import KeptStress, StressedFacts
from workbench.worker.task import Task

__all__ = ["stress_run"]


def stress_run(
    task: Task,
    model: LanguageModel,
    rows: list[FactRow],
    patch: Patch | None,
    settings: StressSettings,
) -> dict[str, Any]:
    """Stresses a run, or the base alone.

    Args:
        task: the job.
        model: the base.
        rows: the facts.
        patch: the run's; None for the base alone.
        settings: what is asked; whom they name as a judge is not.

    Returns:
        What is kept of it as JSON-ready data; see `KeptStress`.

    Raises:
        Cancelled: the person asked for the end.
        WorkbenchError: it cannot be done; the message says why.
    """
    alone = replace(settings, judge_model="", judge_url="", judge_key_env="")
    task.begin("Preparing the stress", 0.0)
    facts = [row.fact for row in rows]
    found = task.follow(stressing(model, facts, patch, alone, stop=task.stop))
    return KeptStress(
        found,
        StressedFacts(len(facts), facts_digest(facts)),
        {"torch": torch.__version__, "transformers": transformers.__version__},
    ).as_dict()
