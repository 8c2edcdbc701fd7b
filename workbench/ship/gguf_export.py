"""An edit in place in its base's GGUF file, asked in llama.cpp before and after.

Invariants: every tensor that the edit does not name stays byte for byte; the original is never
touched; the new file is there whole, or not at all. The type of a changed tensor is the
original's where the facts survive it, else the next better one.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.model.gguf_header import find_gguf, read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.real import REAL, packaged_file
from workbench.ship.export_settings import ExportSettings
from workbench.ship.gguf_places import find_places
from workbench.ship.gguf_tensors import EditedTensors
from workbench.ship.gguf_trial import Trial
from workbench.ship.holding import Holding
from workbench.ship.llama_cpp import LlamaCpp
from workbench.ship.result import ExportResult, Remark
from workbench.work.events import Progress, Work
from workbench.work.files import new_file
from workbench.work.stop import Stop

__all__ = ["exporting_gguf"]


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
    tensors = EditedTensors(header, places, patch, settings.tensor_type)
    asked = list(facts)[: settings.ask]
    exam = Holding.of(model, patch, asked)
    held = exam.with_patch(patch)
    needed = settings.needed(held)
    level = _first_level(model, tensors, exam, needed) if asked else tensors.fine_enough()
    if tensors.wanted is None:
        yield Remark(_chosen(tensors, level, asked))
    with new_file(out) as beside:
        trial = Trial(model, patch, header, beside, asked, needed, stop)
        yield from trial.before()
        level = yield from trial.settle(tensors, level)
        trial.require_some(out)
    notes = trial.notes(tensors.names(level))
    return ExportResult(
        "gguf",
        out,
        out.stat().st_size,
        runtime=LlamaCpp.runtime if trial.can_ask else "",
        held=held,
        facts=trial.facts_tally,
        others=trial.others_tally,
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


def _first_level(model: LanguageModel, tensors: EditedTensors, exam: Holding, needed: int) -> int:
    """The first level that keeps enough facts in memory; the last where none does."""
    for level in range(tensors.levels - 1):
        weights = tensors.rounded(level, model)
        if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
            continue
        with model.with_weights(weights):
            if sum(exam.now()) >= needed:
                return level
    return tensors.levels - 1


def _chosen(tensors: EditedTensors, level: int, asked: Sequence[Fact]) -> str:
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
