"""A study from beginning to end: what is known of it, what it says, and what it found.

Knows nothing about how a trial is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.search.study import Study
from workbench.search.study_events import KEPT, StudyFinished, StudyStarted
from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudySettings
from workbench.work.events import Event, Work
from workbench.work.keeper import FORGETFUL, Keeper
from workbench.work.stop import Stop

__all__ = ["Studied", "studying"]


@dataclass(frozen=True, slots=True)
class Studied:
    """A study that came to an end.

    Args:
        result: what it found.
        asked: what is the same for every arm, for people.
        trials: how many runs it makes in all.
        finished: whether everything was tried.
    """

    result: StudyResult
    asked: str
    trials: int
    finished: bool


def studying(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: StudySettings,
    *,
    keeper: Keeper = FORGETFUL,
    stop: Stop | None = None,
) -> Work[Studied]:
    """Studies; says the events, and returns what was found, also when it was stopped.

    Args:
        model: the base; it stays as it is.
        facts: what the study draws from.
        settings: what is compared.
        keeper: where events are kept, and known from.
        stop: the wish to end it.

    Raises:
        WorkbenchError: see `Study`.
    """
    study = Study(model, facts, settings, stop=stop)
    identity = study.identity()
    events: list[Event] = list(keeper.recall(identity))
    study.know(events)
    keeper.begin(identity, events)
    asked, finished = "", False
    for event in study.events():
        if isinstance(event, StudyStarted):
            asked = event.sentence
        elif isinstance(event, KEPT):
            events.append(event)
        finished = isinstance(event, StudyFinished)
        yield event
    return Studied(StudyResult.of(study.settings, events), asked, study.trials, finished)
