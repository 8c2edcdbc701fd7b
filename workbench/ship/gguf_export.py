"""An edit in place in its base's GGUF file, asked in llama.cpp before and after.

Invariants: every tensor that the edit does not name stays byte for byte; the original is never
touched; the new file is there whole, or not at all. The type of a changed tensor is the
original's where the facts survive it, else the next better one.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType

from workbench.errors import PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.model.gguf_header import GgufHeader, find_gguf, read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.real import REAL, packaged_file
from workbench.ship.asking import asking_facts, asking_others, form_of, longest_answer
from workbench.ship.export_settings import ExportSettings
from workbench.ship.gguf_file import Replaced, read_raw, read_values, size_with, writing_replaced
from workbench.ship.gguf_places import Place, find_places
from workbench.ship.gguf_types import bits, candidates, rounded, stored
from workbench.ship.holding import Holding
from workbench.ship.llama_cpp import MISSING, LlamaCpp, is_llama_there
from workbench.ship.others import others
from workbench.ship.result import ExportResult, Remark, Tally
from workbench.work.events import Progress, Work, mapped, sparing
from workbench.work.files import new_file
from workbench.work.stop import Stop
from workbench.work.words import count, size

__all__ = ["exporting_gguf"]

Array = np.ndarray[Any, Any]
FINE_ENOUGH = 8.0  # bits a weight, where no fact can tell what is


def exporting_gguf(
    model: LanguageModel,
    patch: Patch,
    out: Path,
    facts: Sequence[Fact],
    settings: ExportSettings,
    stop: Stop | None = None,
) -> Work[ExportResult]:
    """Writes the base's GGUF file with the edit in it, and asks both in llama.cpp.

    Args:
        model: the base, from that file or from its safetensors.
        patch: the edit.
        out: the new file.
        facts: what was edited.
        settings: how.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end; no file is left.
        PatchError: another base, or a file of another model; the new file is there already, or
            cannot be written; or hardly a fact holds in it. No file is left.
        SettingsError: no original is named, and the base was loaded from none.
        ModelError: the original cannot be read, or llama.cpp not load it.
    """
    header = read_gguf_header(_original(model, settings))
    patch.check(model)
    places = find_places(header, model, list(patch.tensors))
    yield Progress(0, 5, "Asking the facts in memory")
    tensors = _Tensors(header, places, patch, settings.tensor_type)
    asked = list(facts)[: settings.ask]
    exam = Holding(model, asked, form_of(patch), patch.lowest_layer)
    with patch.applied(model):
        held = sum(exam.now())
    needed = settings.needed(held)
    level = _first_level(model, tensors, exam, needed) if asked else tensors.fine_enough()
    if tensors.wanted is None:
        yield Remark(_chosen(tensors, level, asked))
    with new_file(out) as beside:
        trial = _Trial(model, patch, header, beside, asked, needed, stop)
        yield from trial.before()
        level = yield from _settle(trial, tensors, level)
        trial.require_some(out)
    notes = trial.notes(tensors.names(level))
    return ExportResult(
        "gguf",
        out,
        out.stat().st_size,
        runtime=LlamaCpp.runtime if trial.can_ask else "",
        held=held,
        facts=trial.tally(asked) if asked and trial.can_ask else None,
        others=Tally(len(trial.others), trial.others_before, trial.others_after)
        if trial.can_ask
        else None,
        told={"type": tensors.names(level), "original": str(header.path)},
        notes=notes,
    )


def _original(model: LanguageModel, settings: ExportSettings) -> Path:
    """The GGUF file that is meant.

    Raises:
        SettingsError: none is.
        ModelError: the folder that is named holds several.
    """
    named = Path(settings.gguf or model.name).expanduser()
    if not settings.gguf and model.name == REAL:
        named = packaged_file() or named
    file = find_gguf(named)
    if file is None:
        told = "there is no such GGUF file" if settings.gguf else "the base was not loaded from one"
        raise SettingsError(
            f"Name the base's GGUF file with --gguf: {told} ('{settings.gguf or model.name}')."
        )
    return file


class _Tensors:
    """The tensors of a file that an edit changes, in the types that may hold them."""

    def __init__(
        self, header: GgufHeader, places: Mapping[str, Place], patch: Patch, wanted: str | None
    ) -> None:
        self.header, self.places, self.wanted = header, places, wanted
        self._new = {name: tensor.float().numpy() for name, tensor in patch.tensors.items()}
        self._kinds = {
            place.name: candidates(place.kind, wanted, place.shape) for place in places.values()
        }
        self.levels = max(len(kinds) for kinds in self._kinds.values())

    def kinds(self, level: int) -> dict[str, GGMLQuantizationType]:
        """The type of every tensor, by its name in the file; a higher level is better."""
        return {name: kinds[min(level, len(kinds) - 1)] for name, kinds in self._kinds.items()}

    def names(self, level: int) -> str:
        """The types in words."""
        return ", ".join(dict.fromkeys(kind.name.lower() for kind in self.kinds(level).values()))

    def fine_enough(self) -> int:
        """The first level at which nobody expects a fact to be lost."""
        for level in range(self.levels):
            if all(bits(kind) >= FINE_ENOUGH for kind in self.kinds(level).values()):
                return level
        return self.levels - 1

    def rounded(self, level: int, model: LanguageModel) -> dict[str, torch.Tensor]:
        """The edit as the model in memory would have it after it was stored so."""
        kinds, found = self.kinds(level), {}
        for name, values in self._new.items():
            place, like = self.places[name], model.tensor(name)
            again = place.back(rounded(place.layout(values), kinds[place.name]))
            found[name] = torch.from_numpy(np.ascontiguousarray(again)).to(like)
        return found

    def replaced(self, level: int) -> dict[str, Replaced]:
        """What is written, by its name in the file."""
        found: dict[str, Replaced] = {}
        for there, kind in self.kinds(level).items():
            parts = {n: p for n, p in self.places.items() if p.name == there}
            found[there] = Replaced(kind, self._stored(there, kind, parts))
        return found

    def _stored(self, there: str, kind: GGMLQuantizationType, parts: Mapping[str, Place]) -> bytes:
        moved = {place.expert: place.layout(self._new[n]) for n, place in parts.items()}
        if None in moved:
            return stored(moved[None], kind)
        if kind != self.header.tensors[there].kind:
            whole = read_values(self.header, there)
            for expert, values in moved.items():
                whole[expert] = values
            return stored(whole, kind)
        # The other experts keep their bytes.
        raw = read_raw(self.header, there).reshape(self.header.tensors[there].shape[0], -1)
        for expert, values in moved.items():
            raw[expert] = np.frombuffer(stored(values, kind), np.uint8)
        return bytes(raw.tobytes())


def _first_level(model: LanguageModel, tensors: _Tensors, exam: Holding, needed: int) -> int:
    """The first level that keeps enough facts in memory; the last where none does."""
    for level in range(tensors.levels - 1):
        weights = tensors.rounded(level, model)
        if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
            continue
        with model.with_weights(weights):
            if sum(exam.now()) >= needed:
                return level
    return tensors.levels - 1


def _chosen(tensors: _Tensors, level: int, asked: Sequence[Fact]) -> str:
    """Why the edited tensors get their type."""
    there = ", ".join(dict.fromkeys(p.kind.name.lower() for p in tensors.places.values()))
    if not asked:
        return (
            f"Without --facts nobody can tell whether the facts survive {there}: the edited "
            f"tensors are written as {tensors.names(level)}."
        )
    if tensors.names(level) == there:
        return f"The facts survive {there}, the type of the original."
    return f"The edited tensors are written as {tensors.names(level)}, in the original {there}."


@dataclass
class _Trial:
    """The new file, written and asked as often as it takes."""

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

    def tally(self, asked: Sequence[Fact]) -> Tally:
        """The edited facts before and after."""
        return Tally(len(asked), self.facts_before, self.facts_after)

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


def _settle(trial: _Trial, tensors: _Tensors, level: int) -> Work[int]:
    """Writes the file in better and better types, until enough facts hold in llama.cpp.

    Returns:
        The level at which it was left.
    """
    best, most = level, -1
    while True:
        line = f"Writing the edited tensors as {tensors.names(level)}"
        yield from trial.write(tensors.replaced(level), line)
        yield from trial.after()
        if trial.facts_after > most:
            best, most = level, trial.facts_after
        enough = trial.facts_after >= trial.needed or not trial.can_ask
        if enough or level + 1 >= tensors.levels:
            break
        level += 1
    if best != level:
        # A better type did no better: the rest of the file is what the facts are lost in.
        yield from trial.write(tensors.replaced(best), "Writing it once more")
        yield from trial.after()
    return best
