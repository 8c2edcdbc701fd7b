"""Which facts the model in memory holds, whatever weights are in it: strict, without writing.

What enters the lowest layer that an edit changes is computed once, so that one way to round an
edit after another is judged by the layers above alone.
"""

from collections.abc import Sequence

from workbench.facts.fact import Fact
from workbench.facts.forms import AskedForm
from workbench.measure.strict import strict_matches
from workbench.model.forms import tokenize_as
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.states import HiddenStates, advance
from workbench.model.tokens import TokenTable
from workbench.ship.asking import form_of

__all__ = ["Holding"]


class Holding:
    """Facts that are asked again and again.

    Args:
        model: the base, with no other weights in it.
        facts: what is asked; one that is too long for the model never holds.
        form: in which.
        layer: the lowest one that will change.
    """

    def __init__(
        self, model: LanguageModel, facts: Sequence[Fact], form: AskedForm, layer: int
    ) -> None:
        texts = tokenize_as(
            model.tokenizer,
            [fact.prompt for fact in facts],
            [fact.target_new for fact in facts],
            form,
        )
        longest = model.longest or 1 << 30
        self._model = model
        self._rows = [row for row, text in enumerate(texts) if text.length <= longest]
        self._count = len(facts)
        self._texts = TokenTable([texts[row] for row in self._rows], model.device)
        self._states: HiddenStates | None = None
        if model.states_kept and self._rows:
            self._states = advance(model, self._texts, None, layer)

    @classmethod
    def of(cls, model: LanguageModel, patch: Patch, facts: Sequence[Fact]) -> "Holding":
        """The facts of an edit, in the form in which it was made.

        Raises:
            PatchError: another base.
        """
        patch.check(model)
        return cls(model, facts, form_of(patch), patch.lowest_layer)

    def with_patch(self, patch: Patch) -> int:
        """How many facts the model holds with an edit in it."""
        with patch.applied(self._model):
            return sum(self.now())

    def now(self) -> list[bool]:
        """Which facts the model holds as it is now."""
        found = dict.fromkeys(range(self._count), False)
        if self._rows:
            found.update(
                zip(self._rows, strict_matches(self._model, self._texts, self._states), strict=True)
            )
        return list(found.values())
