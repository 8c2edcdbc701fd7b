"""Having the base write facts in other words, as the worker does it: kept batch by batch.

Nothing is added to a fact: that a person does, on the page. Imports the engine, so only the
worker's process may import this module.
"""

from typing import Any

from workbench.errors import SessionError
from workbench.facts.neighbours import said_keys
from workbench.methods.rephrased import passed
from workbench.methods.rephrasing import BATCH, rephrase_some
from workbench.model.language_model import LanguageModel
from workbench.store.requests import RephraseRequest
from workbench.work.events import Progress
from workbench.work.words import count
from workbench.worker.task import Task

__all__ = ["rephrase_facts"]


def rephrase_facts(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Lets the base write facts' prompts in other words, and keeps them for a person to choose.

    Returns:
        How many facts were asked, how many wordings there are, and how many of them passed.

    Raises:
        Cancelled: the person asked for the end; what was written stays.
        WorkbenchError: there is no such fact, or the model cannot be asked.
    """
    asked = task.request(RephraseRequest)
    wanted = None if asked.facts is None else set(asked.facts)
    every = list(task.store.facts)
    rows = [row for row in every if (row.enabled if wanted is None else row.id in wanted)]
    if not rows:
        raise SessionError("None of the facts is there. Choose some on the Facts tab.")
    taken = said_keys([row.fact for row in every])
    said = {"facts": 0, "wordings": 0, "passed": 0}
    for start in range(0, len(rows), BATCH):
        line = f"{start:,} of {count(len(rows), 'fact')} in other words"
        task.take(Progress(start, len(rows), f"{line}; {said['passed']:,} mean the same"))
        some = [(row.id, row.fact) for row in rows[start : start + BATCH]]
        found = rephrase_some(model, some, asked.settings, taken, task.stop)
        task.store.rephrasings.add(found)
        said["facts"] += len(some)
        said["wordings"] += sum(len(each.wordings) for each in found)
        said["passed"] += passed(found)
    return said
