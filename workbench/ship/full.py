"""The edited model as a folder that transformers, vLLM and SGLang load, with a model card.

The folder has the checkpoint's dtype where the facts survive that, its tokenizer, chat template,
generation settings and licence files as they were. See `workbench.model.export` for how it is
made sure of.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from workbench.facts.fact import Fact
from workbench.model.base_files import LICENCES, base_files
from workbench.model.devices import DTYPES
from workbench.model.export import exporting
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.card import write_card
from workbench.ship.export_settings import ExportSettings
from workbench.ship.holding import Holding
from workbench.ship.result import ExportResult, Remark, Tally
from workbench.work.events import Progress, Work
from workbench.work.stop import Stop
from workbench.work.words import count

__all__ = ["exporting_full"]

SMALL = 0.1
"""How much of an edit rounding may take from it, as a share of its size, where no fact tells."""


def exporting_full(
    model: LanguageModel,
    patch: Patch,
    out: Path,
    facts: Sequence[Fact],
    settings: ExportSettings,
    stop: Stop | None = None,
) -> Work[ExportResult]:
    """Writes the edited model, loads what was written, and compares answers.

    Args:
        model: the base.
        patch: the edit.
        out: a new folder.
        facts: what was edited.
        settings: how.
        stop: the wish to end it.

    Raises:
        Cancelled, PatchError, ModelError: see `workbench.model.export.exporting`.
    """
    asked = list(facts)[: settings.ask]
    yield Progress(0, 3, "Asking the facts in memory")
    exam = Holding.of(model, patch, asked)
    before, held = sum(exam.now()), exam.with_patch(patch)
    written, dtype, after = patch, None, held
    wanted = DTYPES[settings.weights] if settings.weights else _own_dtype(model)
    if wanted is not None and wanted != model.dtype:
        rounded = _rounded(patch, wanted)
        kept = exam.with_patch(rounded)
        enough = kept >= settings.needed(held) if asked else _is_small(model, patch, rounded)
        if settings.weights or enough:
            written, dtype, after = rounded, wanted, kept
        else:
            yield Remark(
                f"In {_word(wanted)}, the checkpoint's own precision, {kept} of "
                f"{count(held, 'fact')} hold: the model is written in {_word(model.dtype)}."
            )
    told = _kept(after, asked)

    def finish(folder: Path) -> None:
        for file in base_files(model, LICENCES, fetch=True):
            shutil.copyfile(file, folder / file.name)
        write_card(folder, model, patch, facts, settings, library="transformers", kept=told)

    prompts = [fact.prompt for fact in facts]
    done = yield from exporting(
        model, written.applied, out, prompts, stop=stop, dtype=dtype, finish=finish
    )
    return ExportResult(
        "full",
        done.folder,
        sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
        runtime="transformers",
        held=held,
        facts=Tally(len(asked), before, after) if asked else None,
        checked=done.checked,
        told={"dtype": _word(dtype or model.dtype)},
    )


def _own_dtype(model: LanguageModel) -> torch.dtype | None:
    """The checkpoint's dtype, where the model in memory is wider; None where it is not."""
    said = model.shipped.config.get("dtype", model.shipped.config.get("torch_dtype"))
    own = DTYPES.get(str(said))
    return own if model.dtype == torch.float32 and own != torch.float32 else None


def _rounded(patch: Patch, dtype: torch.dtype) -> Patch:
    """A patch whose values are those that a dtype can hold."""
    tensors = {name: tensor.to(dtype).to(tensor.dtype) for name, tensor in patch.tensors.items()}
    return Patch(tensors, patch.metadata)


def _is_small(model: LanguageModel, patch: Patch, rounded: Patch) -> bool:
    """Whether rounding takes little from an edit."""
    lost = moved = 0.0
    for name, tensor in patch.tensors.items():
        lost += float((rounded.tensors[name].double() - tensor.double()).square().sum())
        base = model.tensor(name).cpu().double()
        moved += float((tensor.double() - base).square().sum())
    return lost <= SMALL**2 * moved


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _kept(after: int, asked: Sequence[Fact]) -> str:
    """What the card says that the weights hold."""
    if not asked:
        return ""
    return (
        f"Of {count(len(asked), 'fact')} that were asked of these weights, {after} hold "
        "(strict: every token of the answer and its end is the model's first choice)."
    )
