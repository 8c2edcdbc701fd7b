"""Facts taken up by a method, all at once or some at a time, and what becomes of the first of them.

Some at a time, each part is written into the weights that those before left: by one run where the
method goes so by itself, else by a run on top of the last patch each (`workbench.methods.onto`).
The first facts are asked right after their turn and once more when all have had theirs.
Invariant: between two steps the model is its untouched base.
"""

import random
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from workbench.facts.fact import Fact, facts_digest
from workbench.measure.strict import strict_matches
from workbench.methods.base import Method, MethodRun
from workbench.methods.events import EpochDone, Finished
from workbench.methods.method_settings import MethodSettings
from workbench.methods.onto import Onto, start_run
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.work.events import Event
from workbench.work.stop import Stop

__all__ = ["FIRST", "TakenUp", "taking_up", "weights_changed"]

FIRST = 100
"""So many facts are followed from their turn to the end."""

Steps = Generator[float, None, "TakenUp | None"]


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What is left when all facts are taken up.

    Args:
        patch: the edit.
        steps: updates made.
        seconds: of all runs, without what is asked between.
        loss: mean loss at the end of the last one.
        memory_bytes: estimate of the most that a run takes on top of the model.
        first: how many facts were followed; 0 where all were taken up at once.
        then: the share of them that were right (strict) after their turn.
        now: the share of them that are right at the end.
    """

    patch: Patch
    steps: int
    seconds: float
    loss: float
    memory_bytes: int
    first: int = 0
    then: float = 0.0
    now: float = 0.0


def taking_up(
    model: LanguageModel,
    facts: Sequence[Fact],
    method: Method,
    settings: MethodSettings,
    at_a_time: int | None,
    *,
    rehearsed: int | None = None,
    stop: Stop | None = None,
) -> Steps:
    """Lets a method take up facts, in steps: says which share of them is done.

    Args:
        model: the base.
        facts: what it should say.
        method: which one.
        settings: of each run.
        at_a_time: so many facts at a time; None for all at once.
        rehearsed: how many earlier facts are trained beside new ones; see `Onto`.
        stop: the wish to end it; then there is no result.

    Raises:
        WorkbenchError: see `Method.start`.
    """
    stop = stop or Stop()
    if at_a_time is None:
        return (yield from _by_itself(model, facts, method, settings, len(facts), stop))
    turns = settings.in_turns(at_a_time)
    if turns is not None:
        return (yield from _by_itself(model, facts, method, turns, at_a_time, stop))
    return (yield from _in_a_chain(model, facts, method, settings, at_a_time, rehearsed, stop))


def _by_itself(
    model: LanguageModel,
    facts: Sequence[Fact],
    method: Method,
    settings: MethodSettings,
    at_a_time: int,
    stop: Stop,
) -> Steps:
    """One run, whose epochs are turns where it takes up less than all at once."""
    run = method.start(model, facts, settings, stop=stop)
    run.unwatch()
    first = min(FIRST, len(facts)) if at_a_time < len(facts) else 0
    right, finished, seconds = 0, None, 0.0
    for taken, event in _timed(run):
        seconds = taken
        if isinstance(event, Finished):
            finished = event
        elif isinstance(event, EpochDone):
            begin = (event.epoch - 1) * at_a_time
            asked = facts[begin : min(begin + at_a_time, first)]
            right += _right(model, asked, run.applied())
            yield event.epoch / event.epochs
    if finished is None:
        return None
    patch = run.patch({})
    return TakenUp(
        patch,
        finished.steps,
        seconds,
        finished.losses[-1] if finished.losses else 0.0,
        run.plan().memory_bytes,
        first,
        right / first if first else 0.0,
        _right(model, facts[:first], patch.applied(model)) / first if first else 0.0,
    )


def _in_a_chain(
    model: LanguageModel,
    facts: Sequence[Fact],
    method: Method,
    settings: MethodSettings,
    at_a_time: int,
    rehearsed: int | None,
    stop: Stop,
) -> Steps:
    """A run on top of the last patch for each part of the facts."""
    draw, first = random.Random(0), min(FIRST, len(facts))
    patch: Patch | None = None
    steps, seconds, memory, right, loss = 0, 0.0, 0, 0, 0.0
    for begin in range(0, len(facts), at_a_time):
        new = facts[begin : begin + at_a_time]
        onto: Onto | None = None
        if patch is not None:
            again = _sample(facts[:begin], len(new), method, rehearsed, draw)
            onto = Onto(patch, tuple(again), "continue", len(again))
        run = start_run(method, model, new, settings, onto, stop=stop)
        run.unwatch()
        finished, taken = yield from _done(run, begin / len(facts), len(new) / len(facts))
        if finished is None:
            return None
        right += _right(model, new[: max(0, first - begin)], run.applied())
        patch = run.patch({})
        steps, seconds = steps + finished.steps, seconds + taken
        memory = max(memory, run.plan().memory_bytes)
        loss = finished.losses[-1] if finished.losses else 0.0
    assert patch is not None
    patch.metadata.pop("onto", None)
    patch.metadata |= {"facts": len(facts), "facts_digest": facts_digest(facts)}
    now = _right(model, facts[:first], patch.applied(model)) / first
    return TakenUp(patch, steps, seconds, loss, memory, first, right / first, now)


def _done(
    run: MethodRun, begun: float, share: float
) -> Generator[float, None, tuple[Finished | None, float]]:
    """A run of a chain, with its seconds; None when it was stopped."""
    finished, seconds = None, 0.0
    for taken, event in _timed(run):
        seconds = taken
        if isinstance(event, Finished):
            finished = event
        elif isinstance(event, EpochDone):
            yield begun + share * event.epoch / event.epochs
    return finished, seconds


def _timed(run: MethodRun) -> Iterator[tuple[float, Event]]:
    """What a run says, each with the seconds that it has taken itself, whoever asks between."""
    work, seconds = run.events(), 0.0
    while True:
        began = time.monotonic()
        event = next(work, None)
        seconds += time.monotonic() - began
        if event is None:
            return
        yield seconds, event


def _sample(
    earlier: Sequence[Fact], new: int, method: Method, asked: int | None, draw: random.Random
) -> list[Fact]:
    """Which earlier facts are trained again."""
    if not method.settings.rehearses:
        return []
    return draw.sample(list(earlier), min(new if asked is None else asked, len(earlier)))


def _right(
    model: LanguageModel, facts: Sequence[Fact], applied: AbstractContextManager[None]
) -> int:
    """How many facts are right by the strict protocol."""
    if not facts:
        return 0
    with applied:
        texts = tokenize_facts(model.tokenizer, facts, model.longest)
        return sum(strict_matches(model, TokenTable(texts, model.device)))


@torch.no_grad()
def weights_changed(model: LanguageModel, patch: Patch) -> int:
    """How many numbers of a base an edit changes.

    Args:
        model: the base.
        patch: the edit.
    """
    placed = patch.placed(model)
    return sum(int((new != model.tensor(name)).sum()) for name, new in placed.items())
