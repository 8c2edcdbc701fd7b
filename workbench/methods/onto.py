"""Facts for a model that is edited already: made anew from all facts, or on top of the last patch.

A patch that is made on top holds what the earlier one changed and what is changed since, so that
it belongs to the same base and switches off as one. Where a method trains, a sample of the earlier
facts is trained beside the new ones. Invariant: between two events the model is its untouched base.
Knows nothing about files of facts.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from workbench.errors import FactsError, SettingsError
from workbench.facts.fact import Fact
from workbench.facts.same import prompt_key
from workbench.methods.base import Method, MethodRun
from workbench.methods.events import Started
from workbench.methods.in_context import statement
from workbench.methods.run import Run
from workbench.model.context import Context
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.work.events import Event
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

__all__ = ["Onto", "OntoRun", "Way", "start_run", "told_apart", "usual_way"]

Way = Literal["recompile", "continue"]
"""Anew from all facts, or on top of the last patch."""


@dataclass(frozen=True, slots=True)
class Onto:
    """What a run adds its facts to.

    Args:
        patch: the earlier edit.
        earlier: the facts that it was made of, as far as they are known.
        way: how facts are added; empty for what the method does by itself.
        rehearsed: how many of the earlier facts are trained beside the new ones; None for as many
            as there are new ones, where the method trains, else none.
        replaced: other facts that it was made of, which hold no more.

    Raises:
        SettingsError: a value makes no sense.
    """

    patch: Patch
    earlier: tuple[Fact, ...] = ()
    way: Way | Literal[""] = ""
    rehearsed: int | None = None
    replaced: tuple[Fact, ...] = ()

    def __post_init__(self) -> None:
        if self.way and self.way not in get_args(Way):
            raise SettingsError(f"way is {self.way!r}; choose one of {', '.join(get_args(Way))}.")
        if self.rehearsed is not None and self.rehearsed < 0:
            raise SettingsError(f"rehearsed is {self.rehearsed}; it must be 0 or more.")


def told_apart(earlier: Sequence[Fact], facts: Sequence[Fact]) -> tuple[list[int], list[int]]:
    """Which earlier facts stay, and which of the facts are new, both by number.

    A fact that is among the earlier ones is not new; where a new one has the prompt of an earlier
    one, that does not stay.

    Args:
        earlier: facts of an edit.
        facts: what should hold in addition.
    """
    known = set(earlier)
    new = [number for number, fact in enumerate(facts) if fact not in known]
    asked = {prompt_key(facts[number].prompt) for number in new}
    stay = [n for n, fact in enumerate(earlier) if prompt_key(fact.prompt) not in asked]
    return stay, new


def usual_way(method: Method) -> Way:
    """How a method adds facts to an edit unless somebody says otherwise."""
    return "recompile" if method.settings.recompiles else "continue"


def start_run(
    method: Method,
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SettingsRecord | None = None,
    onto: Onto | None = None,
    *,
    stop: Stop | None = None,
    checkpoint: str | Path | None = None,
    **known: Any,
) -> MethodRun:
    """A run on a base, or one that adds facts to an edited model.

    Args:
        method: which one.
        model: the base.
        facts: what it should say from now on; where an earlier fact has the same prompt, the new
            one stands.
        settings: of the method; None for all automatic.
        onto: the earlier edit; None for none.
        stop: the wish to end it early.
        checkpoint: what an earlier part of this run saved.
        **known: what the method can be spared, see `Method.start`; kept states are the base's, and
            are left out where an edit goes on from another one.

    Raises:
        SettingsError: all facts are wanted, and the earlier ones are not known.
        WorkbenchError: facts, settings, model, patch or checkpoint do not fit.
    """
    chosen = settings if settings is not None else method.settings()
    if onto is None:
        return method.start(model, facts, chosen, stop=stop, checkpoint=checkpoint, **known)
    way = onto.way or usual_way(method)
    if way == "continue":
        known.pop("store", None)
        told = method, model, facts, chosen, onto
        return OntoRun(*told, stop=stop, checkpoint=checkpoint, **known)
    onto.patch.check(model)
    if not onto.earlier:
        raise SettingsError(
            f"{method.name} is made anew from all facts, and those of the patch are not known. "
            "Name them (--earlier), or start from the patch (--way continue)."
        )
    stay, new = told_apart(onto.earlier, facts)
    every = [*(onto.earlier[n] for n in stay), *(facts[n] for n in new)]
    return method.start(model, every, chosen, stop=stop, checkpoint=checkpoint, **known)


class OntoRun(Run):
    """A run of any method on top of a patch.

    Args:
        inner: the method.
        model: the base of the patch.
        facts: what is added.
        settings: of the method.
        onto: the earlier edit.
        stop: the wish to end it early.
        checkpoint: what an earlier part of this run saved.
        **known: what the method can be spared, see `Method.start`.

    Raises:
        WorkbenchError: see `start_run`.
    """

    def __init__(
        self,
        inner: Method,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: SettingsRecord,
        onto: Onto,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
        **known: Any,
    ) -> None:
        self.can_resume = True
        self.onto = onto
        stay, new = told_apart(onto.earlier, facts)
        if facts and not new:
            raise FactsError("Every fact is in the earlier edit already. Add one, or change one.")
        earlier, facts = [onto.earlier[n] for n in stay], [facts[n] for n in new]
        before = {statement(fact) for fact in (*onto.earlier, *onto.replaced)}
        self._replaced = before - set(map(statement, earlier))
        super().__init__(model, [*earlier, *facts], settings, stop=stop, checkpoint=checkpoint)
        self.method = inner.key
        again = self._rehearsed(earlier, len(facts), inner)
        onto.patch.check(model)
        self._before = onto.patch.placed(model)
        with model.standing_on(self._before):
            self._run = inner.start(
                model, [*again, *facts], settings, stop=self.stop, checkpoint=checkpoint, **known
            )
        self.can_resume = self._run.can_resume
        self._again = len(again)
        self._at = _joined(model, [*onto.patch.metadata["at"], *self._run.plan().at])

    def _rehearsed(self, earlier: Sequence[Fact], new: int, inner: Method) -> list[Fact]:
        """The earlier facts that are trained again, drawn by the run's seed."""
        asked = self.onto.rehearsed
        if asked is None:
            asked = new if inner.settings.rehearses else 0
        seed = getattr(self._settings, "seed", 0)
        return random.Random(seed).sample(list(earlier), min(asked, len(earlier)))

    @property
    def settings(self) -> SettingsRecord:
        """As they were resolved for this model and these facts."""
        return self._run.settings

    def plan(self) -> Started:
        """What the run will do, without doing any of it."""
        return self._run.plan()

    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`."""
        work = self._run.events()
        while True:
            with self.model.standing_on(self._before):
                event = next(work, None)
            if event is None:
                return
            yield event

    @property
    def context(self) -> Context | None:
        """What either edit puts before prompts; facts that were replaced stand there no more."""
        before, now = self.onto.patch.context, self._run.context
        before = before.without(self._replaced) if before is not None else None
        return before if now is None else now.with_more(before)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""
        with self.model.standing_on(self._before):
            changed = self._run.weights
        return _together(self.model, self._before, changed)

    def unwatch(self) -> None:
        """Leaves out what a run looks at for people alone."""
        self._run.unwatch()

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later.

        Raises:
            PatchError: the file cannot be written, or runs of this method cannot go on.
        """
        with self.model.standing_on(self._before):
            self._run.save_checkpoint(path)

    def patch(self, metrics: dict[str, Any] | None = None) -> Patch:
        """Both edits as one patch of the base.

        Args:
            metrics: numbers for its record, named by protocol.
        """
        made, before = super().patch(metrics), self.onto.patch.metadata
        made.metadata["at"] = self._at
        made.metadata["onto"] = {
            "facts": before["facts"],
            "facts_digest": before["facts_digest"],
            "rehearsed": self._again,
        }
        return made


def _together(
    model: LanguageModel, before: Mapping[str, torch.Tensor], now: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """What an edit changed and one on top of it; an expert's part goes into a stack beside it."""
    both = {**before, **now}
    for name in list(both):
        stack, expert = split_part(name)
        if expert is None or stack not in both:
            continue
        part = both.pop(name)
        if stack not in now:  # else that has the part as it is now
            if both[stack] is before[stack]:
                both[stack] = before[stack].clone()
            model.part(name, both[stack]).copy_(part)
    return both


def _joined(model: LanguageModel, places: Sequence[str]) -> list[str]:
    """Places that two edits change, without those that lie inside another.

    Raises:
        LocationError: two share a part of their weights.
    """
    names = {at: model.weights_at(parse_locations(at)).keys() for at in places}

    def lies_in(inner: str, outer: str) -> bool:
        return all({name, split_part(name)[0]} & names[outer] for name in names[inner])

    kept: list[str] = []
    for at in names:
        if not any(lies_in(at, other) for other in kept):
            kept = [*(other for other in kept if not lies_in(other, at)), at]
    parse_locations(kept)
    return kept
