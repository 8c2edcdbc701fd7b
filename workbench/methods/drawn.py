"""Which form of each fact a step sees: one at each turn, so that an epoch costs what it did.

All forms of all facts stand in one table, the facts as they are first. What is drawn depends on the
seed and the turn alone, so that a resumed run draws the same.
"""

import random
from collections.abc import Sequence

from workbench.facts.fact import Fact
from workbench.facts.forms import Form, FormShare
from workbench.model.forms import tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenTable

__all__ = ["DrawnForms"]


class DrawnForms:
    """The facts in all forms that a run trains on.

    Args:
        model: the base.
        facts: what is to be learned.
        forms: the forms with their shares; none are the facts as they are.
        raw: the facts as they are, as tokens.
        seed: of the run.

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
    ) -> None:
        self._facts = len(facts)
        self._shares = [form.share for form in forms]
        self._seed = seed
        self._starts: list[int] = []
        self._blocks: list[Form] = ["raw"]
        texts = list(raw.texts)
        for form in forms:
            if form.form == "raw":
                self._starts.append(0)
                continue
            self._starts.append(len(texts))
            self._blocks.append(form.form)
            texts += tokenize_form(model.tokenizer, facts, form.form, model.longest)
        self.table = raw if len(texts) == len(raw) else TokenTable(texts, model.device)
        """Every text; the first are the facts as they are."""
        self.many = len(forms) > 1
        """Whether a fact has several forms."""
        self.trained = len(facts) * max(1, len(forms))
        """How many texts a run trains on."""
        self._known: tuple[int, list[int]] | None = None

    def texts(self, rows: Sequence[int], turn: int) -> list[int]:
        """The texts that some facts are at a turn, in the order of the facts.

        Args:
            rows: the facts.
            turn: from 0; an epoch, where all facts share epochs.
        """
        if len(self._starts) <= 1:
            start = self._starts[0] if self._starts else 0
            return [start + row for row in rows]
        if self._known is None or self._known[0] != turn:
            chance = random.Random(f"forms {self._seed} {turn}")
            starts = chance.choices(self._starts, self._shares, k=self._facts)
            self._known = (turn, starts)
        return [self._known[1][row] + row for row in rows]

    def form(self, text: int) -> Form:
        """Which form a text is."""
        return self._blocks[text // self._facts]

    def fact(self, text: int) -> int:
        """Which fact a text is a form of."""
        return text % self._facts
