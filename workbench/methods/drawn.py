"""Which form of each fact a step sees: one at each turn, so that an epoch costs what it did.

All forms of all facts stand in one table, the facts as they are first. What is drawn depends on the
seed, the turn and the losses that the run has seen alone, so that a resumed run draws the same.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.facts.fact import Fact
from workbench.facts.forms import Form, FormShare
from workbench.facts.neighbours import said_keys
from workbench.facts.same import prompt_key
from workbench.methods.other_words import REWORDINGS, other_words
from workbench.methods.prefixes import written_sentences
from workbench.model.forms import system_prompts, tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenizedText, TokenTable

__all__ = ["DrawnForms"]

PREFIXES = 4  # sentences before each fact's prompt
UNSEEN = 3.0  # nats that a text counts for whose turn has not come, among those that were seen
LEARNED = 0.02  # and so many at least, so that what is learned is looked after


class DrawnForms:
    """The facts in all forms that a run trains on.

    Args:
        model: the base.
        facts: what is to be learned.
        forms: the forms with their shares; none are the facts as they are.
        raw: the facts as they are, as tokens.
        seed: of the run.
        focus: how much a fact's turn goes to the forms in which its loss is largest: one is drawn
            by its share times its last loss to this power; 0: by its share alone.

    Raises:
        FactsError, ModelError: see `tokenize_form`.
    """

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        forms: Sequence[FormShare],
        raw: TokenTable,
        seed: int,
        focus: float = 0.0,
    ) -> None:
        self._facts = len(facts)
        self._seed = seed
        self._focus = focus
        self._shares: list[float] = []
        self._starts: list[int] = []
        self._blocks: list[Form] = ["raw"]
        texts = list(raw.texts)
        for form in forms:
            versions = _versions(model, facts, form, raw, seed)
            for version in versions:
                self._shares.append(form.share / len(versions))
                self._starts.append(0 if version is raw.texts else len(texts))
                if version is not raw.texts:
                    self._blocks.append(form.form)
                    texts += version
        self.table = raw if len(texts) == len(raw) else TokenTable(texts, model.device)
        """Every text; the first are the facts as they are."""
        self.many = len(self._starts) > 1
        """Whether a fact has several forms."""
        self.trained = len(facts) * max(1, len(self._starts))
        """How many texts a run trains on."""
        self.systems = [
            system
            for form in forms
            for system in system_prompts(model.tokenizer, form.form)
            if system
        ]
        """The system prompts with which chats are trained, beside those without."""
        self._known: tuple[int, list[int]] | None = None

    def texts(self, rows: Sequence[int], turn: int, losses: Mapping[str, float]) -> list[int]:
        """The texts that some facts are at a turn, in the order of the facts.

        Args:
            rows: the facts.
            turn: from 0; an epoch, where all facts share epochs.
            losses: of each text when its turn came last, by its number in writing.
        """
        if len(self._starts) <= 1:
            start = self._starts[0] if self._starts else 0
            return [start + row for row in rows]
        if self._focus:
            return [self._needed(row, turn, losses) for row in rows]
        if self._known is None or self._known[0] != turn:
            chance = random.Random(f"forms {self._seed} {turn}")
            starts = chance.choices(self._starts, self._shares, k=self._facts)
            self._known = (turn, starts)
        return [self._known[1][row] + row for row in rows]

    def _needed(self, row: int, turn: int, losses: Mapping[str, float]) -> int:
        """A text of a fact, drawn by its share and by how little it is learned."""
        weights = [
            share * max(_loss(start + row, losses), LEARNED) ** self._focus
            for share, start in zip(self._shares, self._starts, strict=True)
        ]
        chance = random.Random(f"forms {self._seed} {turn} {row}")
        return chance.choices(self._starts, weights)[0] + row

    def need(self, fact: int, losses: Mapping[str, float]) -> float:
        """How little a fact is learned: its last losses, weighed by the shares of its forms.

        Args:
            fact: which one.
            losses: of each text when its turn came last, by its number in writing.
        """
        pairs = zip(self._shares, self._starts, strict=True)
        found = sum(share * _loss(start + fact, losses) for share, start in pairs)
        return max(found, LEARNED)

    def form(self, text: int) -> Form:
        """Which form a text is."""
        return self._blocks[text // self._facts]

    def fact(self, text: int) -> int:
        """Which fact a text is a form of."""
        return text % self._facts


def _loss(text: int, losses: Mapping[str, float]) -> float:
    """A text's last loss, for drawing; one that is no number tells as little as none."""
    found = losses.get(str(text), UNSEEN)
    return found if math.isfinite(found) else UNSEEN


def _versions(
    model: LanguageModel, facts: Sequence[Fact], form: FormShare, raw: TokenTable, seed: int
) -> list[Sequence[TokenizedText]]:
    """The texts of all facts in a form; of some forms several, one of which is drawn."""
    if form.form == "raw":
        return [raw.texts]
    if form.form == "rephrase":
        worded = _reworded(facts, seed)
    elif form.form == "prefix":
        worded = _prefixed(facts, written_sentences(model))
    else:
        return [
            tokenize_form(model.tokenizer, facts, form.form, model.longest, system)
            for system in system_prompts(model.tokenizer, form.form)
        ]
    return [
        tokenize_form(
            model.tokenizer,
            [replace(fact, prompt=prompt) for fact, prompt in zip(facts, prompts, strict=True)],
            "raw",
            model.longest,
        )
        for prompts in worded
    ]


def _reworded(facts: Sequence[Fact], seed: int) -> list[list[str]]:
    """The facts' prompts in other words, several times."""
    found = other_words(facts, seed)
    lists = max(REWORDINGS, *map(len, found))
    # A prompt of a few words has few other wordings; then some stand twice.
    return [
        [one[n % len(one)] if one else fact.prompt for fact, one in zip(facts, found, strict=True)]
        for n in range(lists)
    ]


def _prefixed(facts: Sequence[Fact], sentences: Sequence[str]) -> list[list[str]]:
    """The facts' prompts behind sentences, several times; neighbours behind different ones."""
    taken = said_keys(facts)
    return [
        [
            fact.prompt if prompt_key(text) in taken else text
            for row, fact in enumerate(facts)
            for text in [f"{sentences[(row + n) % len(sentences)]} {fact.prompt}"]
        ]
        for n in range(PREFIXES)
    ]
