"""Studies, as the worker does them: what they find is kept in the session as it comes.

Imports the engine, so only the worker's process may import this module.
"""

from typing import Any

from workbench.errors import SessionError
from workbench.model.language_model import LanguageModel
from workbench.search import study_events as events
from workbench.search.study import Study
from workbench.search.study_settings import StudySettings
from workbench.worker.task import Cancelled, Countdown, Task

__all__ = ["run_study"]


def run_study(task: Task, model: LanguageModel) -> dict[str, Any]:
    """Studies the session's enabled facts; what an equal study found is not repeated.

    Returns:
        The number of the study.

    Raises:
        Cancelled: the person asked for the end; what was found is kept.
        WorkbenchError: it cannot be done; the message says why.
    """
    rows = task.store.facts.enabled()
    if not rows:
        raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
    kept, facts = task.store.studies, [row.fact for row in rows]
    settings = StudySettings.from_dict(task.job.params.get("settings", {}))
    study = Study(model, facts, settings)
    identity = study.identity()
    known = kept.known_events(identity)
    if known:
        study = Study(model, facts, settings, done=known)
    number, countdown = 0, Countdown()
    for event in study.events():
        if isinstance(event, events.StudyStarted):
            number = kept.begin(task.job.id, model.name, identity, event.sentence, known)
        elif isinstance(event, events.StudyProgress):
            trials = max(1, event.trials)
            share = (event.done + event.share) / trials if event.trials else event.share
            line = f"{event.label}, {event.done} of {trials} runs done{countdown.left(share)}"
            task.report(line, share)
        elif isinstance(event, events.KEPT):
            kept.add_event(number, event)
        elif isinstance(event, events.StudyFinished):
            kept.end(number, "done")
        else:
            kept.end(number, "stopped")
            raise Cancelled
        if task.cancelled:
            study.stop()
    return {"study": number}
