"""What a sweep's trials train on: the sample of the facts, in the forms of the run that follows.

A trial may be about a part of the sample; its hidden states are a part of those of the whole.
Knows nothing about places or rates.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from workbench.errors import FactsError
from workbench.facts.fact import Fact
from workbench.facts.forms import Form, parse_forms
from workbench.facts.neighbours import are_few
from workbench.facts.relations import relations_digest
from workbench.facts.subject import with_subjects
from workbench.facts.subject_kinds import listed_digest
from workbench.methods.drawn import DrawnForms
from workbench.methods.kept_prompts import kept_prompts
from workbench.model.forms import system_prompts, tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.states import HiddenStates
from workbench.model.tokens import TokenizedText, TokenTable, tokenize, tokenize_facts
from workbench.search.sample import Sample, draw_sample
from workbench.search.sweep_settings import ResolvedSweepSettings

__all__ = ["Trained"]

FIRST: dict[str, Any] = {
    "forms": ["raw"],
    "rate_schedule": "constant",
    "keep": 0.0,
    "keep_share": 1.0,
    "spare": 0.0,
    "focus": 0.0,
    "other_subjects": [],
}
"""How the first version trained, whose rows are still known."""


class Trained:
    """The facts that are tried, as tokens.

    Args:
        model: the base.
        facts: what the sample is drawn from.
        settings: of the sweep.
        counts: on how many facts there are trials beside those on all, by the sample's size.

    Raises:
        FactsError: no facts, or none short enough for the model.
        ModelError: they are to be trained in a form that the model does not have.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: ResolvedSweepSettings,
        counts: Callable[[int], Sequence[int]] = lambda sample: (),
    ) -> None:
        self._model = model
        self._seed = settings.seed
        whole = settings.edit_settings().resolved(model.preset, settings.sample)
        self._settings = whole.for_facts(any(fact.keep_prompts for fact in facts))
        self._forms = parse_forms(self._settings.forms)
        self._systems: list[str] = []
        self._few = False
        self.sample: Sample = draw_sample(facts, settings.sample, settings.seed, self._fits)
        """The facts that are tried, and prompts of others."""
        if facts and not self.sample.facts:
            raise FactsError("Every fact is too long for this model. Shorten their prompts.")
        sizes = {count: self._texts(count) for count in {len(self.facts), *counts(len(self.facts))}}
        texts = dict.fromkeys(text for count in sorted(sizes) for text in sizes[count])
        if len(sizes) == 1:
            self.table = TokenTable(sizes[len(self.facts)], model.device)
            self._rows: dict[int, list[int]] = {}
            return
        place = {text: row for row, text in enumerate(texts)}
        self._rows = {count: [place[text] for text in found] for count, found in sizes.items()}
        self.table = TokenTable(list(texts), model.device)
        """Every text of every trial, once."""

    def _texts(self, count: int) -> tuple[TokenizedText, ...]:
        """What a run on so many facts trains on, in its order."""
        facts = [self.facts[row] for row in self.some(count)]
        tokenized = tokenize_facts(self._model.tokenizer, facts, self._model.longest)
        raw, known = TokenTable(tokenized, self._model.device), with_subjects(facts)
        forms = DrawnForms(self._model, known, self._forms, raw, self._seed)
        self._few |= are_few(known, self._settings.other_subjects)
        self._systems = forms.systems
        return forms.table.texts

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The sample."""
        return self.sample.facts

    def _fits(self, fact: Fact) -> bool:
        """Whether the model reads the fact in all forms that are trained."""
        tokenizer = self._model.tokenizer
        forms: list[Form] = ["raw", *(form.form for form in self._forms)]
        lengths = [
            tokenize_form(tokenizer, [fact], form, None, system)[0].length
            for form in dict.fromkeys(forms)
            for system in system_prompts(tokenizer, form)
        ]
        if "rephrase" in forms and fact.wordings:
            answers = [fact.target_new] * len(fact.wordings)
            lengths += [text.length for text in tokenize(tokenizer, fact.wordings, answers)]
        longest = max(lengths)
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

    def states(self, states: HiddenStates | None, count: int) -> HiddenStates | None:
        """The hidden states that a run on so many facts needs, in its order.

        Args:
            states: of the whole table; None where none are kept.
            count: of the facts.
        """
        if states is None or count not in self._rows:
            return states
        return states.of(self._rows[count])

    def unusual(self) -> dict[str, Any]:
        """How facts are trained, where the first version did it otherwise; JSON-ready."""
        mine = self._settings.as_dict()
        names = (
            "forms",
            "rate_schedule",
            "keep",
            *(["keep_share"] if self._settings.keep else []),
            "spare",
            *(["focus"] if self._settings.forms != ("raw",) else []),
            *(["kept"] if self._settings.needs_kept else []),
            *(["other_subjects"] if self._settings.holds_neighbours else []),
        )
        found = {name: mine[name] for name in names if mine[name] != FIRST.get(name)}
        if self._few and self._settings.holds_neighbours:
            found["subjects of the lists"] = listed_digest()
        if any(form.form == "rephrase" for form in self._forms):
            found["wordings"] = relations_digest()
        return found | ({"systems": self._systems} if self._systems else {})

    def kept_prompts(self, counts: Sequence[int]) -> list[str]:
        """The prompts that trials are trained to answer as the base does.

        Args:
            counts: on how many facts trials are.
        """
        if not self._settings.needs_kept:
            return []
        names = [form.form for form in self._forms]
        chat, kinds = self._model.preset.chat, self._settings.kept
        own, found = self._settings.other_subjects, list[str]()
        for count in sorted(set(counts)):
            facts = with_subjects([self.facts[row] for row in self.some(count)])
            kept = kept_prompts(facts, kinds, self._seed, chat=chat, forms=names, subjects=own)
            found += [one.prompt for one in kept]
        return found
