"""How much each fact of a run needs its turn: how little it is learned in all its forms.

What a run has seen decides it alone, so that a resumed run asks for the same facts.
"""

from collections.abc import Mapping

from workbench.methods.drawn import DrawnForms

__all__ = ["Needs"]


class Needs:
    """The needs of a run's facts, kept up with what is seen.

    Args:
        drawn: the facts in their forms.
        losses: of each text when its turn came last, by its number in writing; it may grow.
        facts: how many there are; 0 where the run does not ask.
    """

    def __init__(self, drawn: DrawnForms, losses: Mapping[str, float], facts: int) -> None:
        self._drawn, self._losses = drawn, losses
        self.values = [drawn.need(fact, losses) for fact in range(facts)]
        """Of each fact, above 0; nothing where the run does not ask."""

    def seen(self, text: int) -> None:
        """Takes up that a text had its turn."""
        if self.values:
            fact = self._drawn.fact(text)
            # Summed anew, and not changed by a difference, so that a resumed run has the same.
            self.values[fact] = self._drawn.need(fact, self._losses)
