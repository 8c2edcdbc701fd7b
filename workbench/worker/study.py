"""Studies, as the worker does them: what they find is kept in the session as it comes.

Imports the engine, so only the worker's process may import this module.
"""

from collections.abc import Sequence
from typing import Any

from workbench.model.language_model import LanguageModel
from workbench.search.study_events import KEPT, StudyFinished, StudyStarted, StudyStopped
from workbench.search.studying import studying
from workbench.store.requests import StudyRequest
from workbench.work.events import Event
from workbench.worker.task import Cancelled, Task

__all__ = ["run_study"]


def run_study(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Studies the session's enabled facts; what an equal study found is not repeated.

    Returns:
        The number of the study.

    Raises:
        Cancelled: the person asked for the end; what was found is kept.
        WorkbenchError: it cannot be done; the message says why.
    """
    facts = [row.fact for row in task.facts()]
    settings = task.request(StudyRequest).settings
    keeper = _StudyKeeper(task, model.name)
    task.begin("Preparing the study")
    work = studying(model, facts, settings, keeper=keeper, stop=task.stop)
    if not task.follow(work, keeper.take).finished:
        raise Cancelled
    return {"study": keeper.number}


class _StudyKeeper:
    """Keeps a study in the session, event by event."""

    def __init__(self, task: Task, model: str) -> None:
        self.number = 0
        self._task, self._model = task, model
        self._identity: dict[str, Any] = {}
        self._known: Sequence[Event] = ()

    def recall(self, identity: dict[str, Any]) -> Sequence[Event]:
        """What the newest study with this identity found."""
        return self._task.store.studies.known_events(identity)

    def begin(self, identity: dict[str, Any], known: Sequence[Event]) -> None:
        """Notes whose study it is; it stands in the session once its plan is told."""
        self._identity, self._known = identity, known
        self._task.goes_on = bool(known)

    def take(self, event: Event) -> None:
        """Keeps the plan, what was found, and the end."""
        kept, job = self._task.store.studies, self._task.job.id
        if isinstance(event, StudyStarted):
            known = list(self._known)
            self.number = kept.begin(job, self._model, self._identity, event.sentence, known)
        elif isinstance(event, KEPT):
            kept.add_event(self.number, event)
        elif isinstance(event, StudyFinished):
            kept.end(self.number, "done")
        elif isinstance(event, StudyStopped):
            kept.end(self.number, "stopped")
