"""Measuring everything that was asked for: the shares, then the writing, then general capability.

One piece of work for the command line, a session and Python. Each part is handed on as soon as it
is whole, because those behind it take longer and may be given up.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

from workbench.facts.fact import Fact
from workbench.facts.forms import parse_asked
from workbench.measure.capability import measuring_capability
from workbench.measure.capability_result import Capability
from workbench.measure.evaluate import evaluating
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.health import measuring_health
from workbench.measure.measures import Measures, Part, PartBegun
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.work.events import Progress, Work, mapped
from workbench.work.stop import Stop

__all__ = ["measuring"]


def measuring(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None,
    settings: EvaluationSettings,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    *,
    stop: Stop | None = None,
    on_part: Callable[[Part], object] | None = None,
) -> Work[Measures]:
    """Measures the base, and the edited model where there is a patch.

    Args:
        model: the base; it stays as it is.
        facts: what is asked.
        patch: the edit; None measures the base alone.
        settings: what is measured.
        labels: further ways to group the facts, each with a label for every fact.
        stop: the wish to end it.
        on_part: called with each part as soon as it is whole.

    Raises:
        Cancelled: somebody wanted it to end.
        WorkbenchError: it cannot be measured; the message says why.
    """
    stop = stop or Stop()
    keep = on_part or (lambda part: None)
    yield PartBegun("evaluation", f"Evaluating on {len(facts)} facts")
    evaluation = yield from evaluating(
        model,
        facts,
        patch,
        written=settings.written_of(len(facts)),
        seed=settings.seed,
        labels=labels,
        forms=parse_asked(settings.forms),
        stop=stop,
    )
    keep(evaluation)
    health = capability = None
    if settings.health:
        stop.check()
        yield PartBegun("health", "Looking at the writing")
        health = yield from measuring_health(model, facts, patch, seed=settings.seed, stop=stop)
        keep(health)
    if settings.capability:
        stop.check()
        yield PartBegun("capability", "General capability")
        capability = yield from _asking(model, facts, patch, settings, stop)
        keep(capability)
    return Measures(evaluation, health, capability)


def _asking(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None,
    settings: EvaluationSettings,
    stop: Stop,
) -> Generator[Progress, None, Capability]:
    """General capability, with the task that is being asked in a line for people."""

    def tell(step: Progress) -> Progress:
        if not step.line:
            return step
        line = f"General capability, {step.done:g} of {step.total:g}: {step.line}"
        return replace(step, line=line)

    work = measuring_capability(
        model,
        settings.capability,
        patch,
        facts=facts,
        limit=settings.limit,
        network=settings.network,
        seed=settings.seed,
        stop=stop,
    )
    return mapped(work, tell)
