"""What a sweep's trials train on: the sample of the facts, in the forms of the run that follows.

A trial may be about a part of the sample; its hidden states are a part of those of the whole.
Knows nothing about places or rates.
"""

import random
from collections.abc import Sequence

from workbench.errors import FactsError
from workbench.facts.fact import Fact
from workbench.facts.forms import parse_forms
from workbench.methods.drawn import DrawnForms
from workbench.methods.keep import kept_prompts
from workbench.model.forms import tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.states import HiddenStates
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.search.sample import Sample, draw_sample
from workbench.search.sweep_settings import ResolvedSweepSettings

__all__ = ["Trained"]


class Trained:
    """The facts that are tried, as tokens.

    Args:
        model: the base.
        facts: what the sample is drawn from.
        settings: of the sweep.

    Raises:
        FactsError: no facts, or none short enough for the model.
        ModelError: they are to be trained in a form that the model does not have.
    """

    def __init__(
        self, model: LanguageModel, facts: Sequence[Fact], settings: ResolvedSweepSettings
    ) -> None:
        self._model = model
        self._seed = settings.seed
        # As a run resolves them.
        resolved = settings.edit_settings().resolved(model.preset, settings.sample)
        self._keeps = resolved.keep > 0
        self._forms = parse_forms(resolved.forms)
        self.sample: Sample = draw_sample(facts, settings.sample, settings.seed, self._fits)
        """The facts that are tried, and prompts of others."""
        if facts and not self.sample.facts:
            raise FactsError("Every fact is too long for this model. Shorten their prompts.")
        raw = tokenize_facts(model.tokenizer, self.facts, model.longest)
        texts = TokenTable(raw, model.device)
        self.table = DrawnForms(model, self.facts, self._forms, texts, settings.seed).table
        """Every text, as a run on all of them has it."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The sample."""
        return self.sample.facts

    def _fits(self, fact: Fact) -> bool:
        """Whether the model reads the fact in all forms that are trained."""
        forms = ["raw", *(form.form for form in self._forms)]
        longest = max(
            tokenize_form(self._model.tokenizer, [fact], form, None)[0].length
            for form in dict.fromkeys(forms)
        )
        return self._model.longest is None or longest <= self._model.longest

    def some(self, count: int) -> list[int]:
        """Which facts of the sample a trial on so many is about; more facts hold those of fewer.

        Args:
            count: how many.
        """
        rows = list(range(len(self.facts)))
        if count >= len(rows):
            return rows
        return sorted(random.Random(f"rung {self._seed}").sample(rows, len(rows))[:count])

    def states(self, states: HiddenStates | None, some: Sequence[int]) -> HiddenStates | None:
        """The part of the hidden states that a trial on some facts needs.

        Args:
            states: of the whole table; None where none are kept.
            some: the facts.
        """
        if states is None or len(some) == len(self.facts):
            return states
        forms = range(0, len(self.table), len(self.facts))
        return states.of([form + row for form in forms for row in some])

    def kept_prompts(self, counts: Sequence[int]) -> list[str]:
        """The prompts that trials are trained to answer as the base does.

        Args:
            counts: on how many facts trials are.
        """
        if not self._keeps:
            return []
        drawn = [self.some(count) for count in sorted(set(counts))]
        return [
            prompt
            for rows in drawn
            for prompt in kept_prompts([self.facts[row] for row in rows], self._seed)
        ]
