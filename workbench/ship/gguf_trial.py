"""A new GGUF file, written and asked in llama.cpp as often as it takes."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import PatchError
from workbench.facts.fact import Fact
from workbench.model.gguf_header import GgufHeader
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.asking import asking_facts, asking_others, form_of, longest_answer
from workbench.ship.gguf_file import Replaced, size_with, writing_replaced
from workbench.ship.gguf_tensors import EditedTensors
from workbench.ship.llama_cpp import MISSING, LlamaCpp, is_llama_there
from workbench.ship.others import others
from workbench.ship.result import Tally
from workbench.work.events import Progress, Work, mapped, sparing
from workbench.work.stop import Stop
from workbench.work.words import count, size

__all__ = ["Trial"]


@dataclass
class Trial:
    """The new file, and what is asked of it.

    Args:
        model: the base.
        patch: the edit.
        header: of the original.
        beside: where the new file is written.
        asked: the edited facts that are asked.
        needed: how many of them must hold.
        stop: the wish to end it.
        can_ask: whether llama.cpp is there.
        facts_before, facts_after, others_before, others_after: how many were right in the original
            and in the new file.
        others: the other questions.
    """

    model: LanguageModel
    patch: Patch
    header: GgufHeader
    beside: Path
    asked: list[Fact]
    needed: int
    stop: Stop | None
    can_ask: bool = field(default_factory=lambda: is_llama_there())
    facts_before: int = 0
    facts_after: int = 0
    others_before: int = 0
    others_after: int = 0
    others: list[Fact] = field(default_factory=list)

    def before(self) -> Work[None]:
        """Asks the original."""
        self.others = others(self.asked)
        if self.can_ask:
            told = Progress(1, 5, "Asking the original in llama.cpp")
            self.facts_before, self.others_before = yield from self._ask(self.header.path, told)

    def write(self, replaced: Mapping[str, Replaced], line: str) -> Work[None]:
        """Writes the file.

        Raises:
            PatchError: there is no room for it.
        """
        whole = size_with(self.header, replaced)
        self.beside.unlink(missing_ok=True)
        free = shutil.disk_usage(self.beside.parent).free
        if free < whole:
            raise PatchError(
                f"The new file takes {size(whole)}, and {size(free)} are free in "
                f"'{self.beside.parent}'. Make room there, or choose another --out."
            )
        writing = writing_replaced(self.header, replaced, self.beside, self.stop)
        yield from sparing(writing, lambda done: Progress(2 + done / max(1, whole), 5, line))

    def after(self) -> Work[None]:
        """Asks the new file."""
        if self.can_ask:
            told = Progress(3, 5, "Asking the new file in llama.cpp")
            self.facts_after, self.others_after = yield from self._ask(self.beside, told)

    def _ask(self, file: Path, told: Progress) -> Work[tuple[int, int]]:
        with LlamaCpp(file, self.stop) as llama:
            right = 0
            if self.asked:
                tokens = longest_answer(self.model, self.asked)
                found = yield from mapped(
                    asking_facts(llama, self.asked, form_of(self.patch), tokens), lambda _: told
                )
                right = sum(found)
            known = yield from mapped(asking_others(llama, self.others), lambda _: told)
        return right, known

    @property
    def facts_tally(self) -> Tally | None:
        """The edited facts before and after; None where none were asked."""
        asked = self.asked if self.can_ask else []
        return Tally(len(asked), self.facts_before, self.facts_after) if asked else None

    @property
    def others_tally(self) -> Tally | None:
        """The other questions before and after; None where none were asked."""
        asked = self.others if self.can_ask else []
        return Tally(len(asked), self.others_before, self.others_after) if asked else None

    def require_some(self, out: Path) -> None:
        """Takes back a file in which hardly a fact holds.

        Raises:
            PatchError: it is one.
        """
        if self.can_ask and self.facts_after < self.needed / 2:
            raise PatchError(
                f"In llama.cpp, {self.facts_after} of {count(self.needed, 'fact')} hold that "
                f"should, so that '{out}' was not made. Name the GGUF file of the patch's own "
                "base, or a better --type."
            )

    def notes(self, types: str) -> tuple[str, ...]:
        """What people should know."""
        if not self.can_ask:
            return (f"It was not asked: {MISSING}.",)
        if self.facts_after < self.needed:
            return (
                f"{self.needed - self.facts_after} of the facts that the patch holds in memory do "
                f"not hold in this file, though the edited tensors are written as {types}.",
            )
        return ()

    def settle(self, tensors: EditedTensors, level: int) -> Work[int]:
        """Writes the file in better and better types, until enough facts hold in llama.cpp.

        Returns:
            The level at which it was left.
        """
        best, most = level, -1
        while True:
            line = f"Writing the edited tensors as {tensors.names(level)}"
            yield from self.write(tensors.replaced(level), line)
            yield from self.after()
            if self.facts_after > most:
                best, most = level, self.facts_after
            enough = self.facts_after >= self.needed or not self.can_ask
            if enough or level + 1 >= tensors.levels:
                break
            level += 1
        if best != level:
            # A better type did no better: the rest of the file is what the facts are lost in.
            yield from self.write(tensors.replaced(best), "Writing it once more")
            yield from self.after()
        return best
