"""Other wordings that a model wrote, until a person has taken or dismissed them.

Invariant: a wording goes to a fact's `wordings`, which may be trained on, and only once a person
ticked it; never to what measures the fact, and not when it is that already.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from workbench.errors import RecordError
from workbench.facts.fact import Fact
from workbench.facts.neighbours import said_keys
from workbench.facts.same import prompt_key
from workbench.methods.rephrased import Rephrased
from workbench.store.database import Database
from workbench.store.facts import FactTable
from workbench.store.settings import Settings
from workbench.work.records import as_data, from_data

__all__ = ["REPHRASED", "Rephrasings"]

REPHRASED = "rephrased"  # the setting that holds them


class Rephrasings:
    """What one session's model wrote of its facts."""

    def __init__(self, database: Database, settings: Settings, facts: FactTable) -> None:
        self._database, self._settings, self._facts = database, settings, facts

    def all(self) -> tuple[Rephrased, ...]:
        """Every fact with what was written of it, the one that was asked first first."""
        try:
            return from_data(tuple[Rephrased, ...], self._settings.get(REPHRASED, []))
        except RecordError:
            return ()

    def add(self, found: Sequence[Rephrased]) -> None:
        """Keeps what was written of facts in place of what was written of them before."""
        anew = {each.fact for each in found}
        self._change(lambda kept: [*(each for each in kept if each.fact not in anew), *found])

    def tick(self, fact: int, text: str, ticked: bool) -> None:
        """A person wants a wording, or does not.

        Args:
            fact: the row of the fact.
            text: the wording.
            ticked: whether it is wanted.
        """
        self._tick(lambda each, words: ticked if (each, words) == (fact, text) else None)

    def tick_passed(self) -> None:
        """A person wants every wording that passed the check."""
        passed = {
            (each.fact, wording.text)
            for each in self.all()
            for wording in each.wordings
            if not wording.against
        }
        self._tick(lambda each, words: True if (each, words) in passed else None)

    def dismiss(self, facts: Collection[int]) -> None:
        """Forgets what was written of some facts, and of those of which nothing was.

        Args:
            facts: their rows.
        """
        self._change(lambda kept: [e for e in kept if e.wordings and e.fact not in facts])

    def accept(self) -> tuple[int, int]:
        """Adds every wording that is ticked to what may be trained of its fact.

        A fact that is gone or has another prompt since gets none, and neither is anything added
        that measures a fact by now; what the fact has already counts as neither. What was written
        of a fact of which some is ticked is forgotten.

        Returns:
            How many were added, and how many were not.
        """
        wanted = {
            each.fact: (each.prompt, [one.text for one in each.wordings if one.ticked])
            for each in self.all()
            if any(one.ticked for one in each.wordings)
        }
        taken = said_keys([row.fact for row in self._facts], brought=False)
        there = {row.id: row.fact for row in self._facts if row.id in wanted}
        added, left_out = 0, 0
        for row, (prompt, texts) in wanted.items():
            fact = there.get(row)
            if fact is None or fact.prompt != prompt:
                left_out += len(texts)
                continue
            own = {prompt_key(text) for text in fact.wordings}
            texts = [text for text in texts if prompt_key(text) not in own]
            good = [text for text in texts if prompt_key(text) not in taken]
            if good:
                self._facts.amend(row, _with(good))
            added, left_out = added + len(good), left_out + len(texts) - len(good)
        self._change(lambda kept: [each for each in kept if each.fact not in wanted])
        return added, left_out

    def _tick(self, wanted: Callable[[int, str], bool | None]) -> None:
        """Ticks or unticks wordings; None leaves one as it is."""

        def change(kept: Sequence[Rephrased]) -> list[Rephrased]:
            return [
                replace(
                    each,
                    wordings=tuple(
                        one if choice is None else replace(one, ticked=choice)
                        for one in each.wordings
                        for choice in [wanted(each.fact, one.text)]
                    ),
                )
                for each in kept
            ]

        self._change(change)

    def _change(self, change: Callable[[Sequence[Rephrased]], list[Rephrased]]) -> None:
        # The worker adds while a person ticks: neither may lose what the other did.
        with self._database.transaction():
            self._settings.set(REPHRASED, as_data(tuple(change(self.all()))))


def _with(texts: Sequence[str]) -> Callable[[Fact], Fact]:
    return lambda fact: replace(fact, wordings=(*fact.wordings, *texts))
