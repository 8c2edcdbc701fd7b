"""An edit as a LoRA adapter of the lowest rank that keeps its facts, for peft, vLLM and SGLang.

Invariant: an adapter is there only after peft loaded it onto the base and it held its facts, or
with a note that peft is not installed; the base is the base again afterwards, to the bit.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from workbench.errors import PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.model.base_files import base_path
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.card import write_card
from workbench.ship.export_settings import HIGHEST_RANK, ExportSettings
from workbench.ship.holding import Holding
from workbench.ship.low_rank import RANKS, Decomposed, Product, decompose
from workbench.ship.result import ExportResult, Remark, Tally
from workbench.work.events import Progress, Work
from workbench.work.files import as_new_files, new_folder
from workbench.work.stop import Stop
from workbench.work.words import count, size

__all__ = ["ADAPTER_CONFIG", "ADAPTER_WEIGHTS", "PEFT_MISSING", "adapted", "exporting_adapter"]

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PEFT_MISSING = "peft is not here: pip install 'locft-workbench[adapter]' brings it"
PREFIX = "base_model.model."


def exporting_adapter(
    model: LanguageModel,
    patch: Patch,
    out: Path,
    facts: Sequence[Fact],
    settings: ExportSettings,
    stop: Stop | None = None,
) -> Work[ExportResult]:
    """Writes the edit as an adapter, loads it with peft, and asks it.

    Args:
        model: the base.
        patch: the edit.
        out: a new folder.
        facts: what was edited; by them the rank is chosen.
        settings: how.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end; no folder is left.
        PatchError: another base; an edit that no adapter holds, or none of a rank that vLLM
            loads; or what was written answers otherwise. No folder is left.
        SettingsError: there are neither facts nor a rank.
    """
    asked = list(facts)[: settings.ask]
    if not asked and settings.rank is None:
        raise SettingsError(
            "The rank of an adapter is chosen by the facts that it keeps: name them with --facts, "
            "or the rank with --rank."
        )
    patch.check(model)
    yield Progress(0, 4, "Taking the edit apart")
    parts = decompose(model, patch)
    exam = Holding.of(model, patch, asked)
    before, held = sum(exam.now()), exam.with_patch(patch)
    rank = yield from _rank(parts, exam, held, settings, stop)
    products = parts.products(rank, model.dtype)
    with new_folder(out) as beside:
        yield Progress(2, 4, f"Writing the adapter to {out}")
        _write(parts, products, model, beside)
        yield Progress(3, 4, "Loading it with peft, and asking it")
        after, notes = _loaded_back(parts, products, exam, beside, out)
        told = f"At rank {rank}, {after} of {count(len(asked), 'fact')} hold (strict)."
        write_card(
            beside, model, patch, facts, settings, library="peft", kept=told if asked else ""
        )
        as_new_files(beside)
    yield Progress(4, 4)
    return ExportResult(
        "adapter",
        out,
        sum(file.stat().st_size for file in out.iterdir()),
        runtime="" if notes else "peft",
        held=held,
        facts=Tally(len(asked), before, after) if asked else None,
        told={"rank": rank, "base": base_path(model)},
        notes=notes,
    )


def _rank(
    parts: Decomposed, exam: Holding, held: int, settings: ExportSettings, stop: Stop | None
) -> Work[int]:
    """The rank: the one that is named, else the lowest that keeps enough facts.

    Raises:
        PatchError: even the highest that vLLM loads keeps too few.
    """
    dtype = parts.model.dtype
    if settings.rank is not None:
        return settings.rank
    most = min(HIGHEST_RANK, parts.highest)
    tried = [*(rank for rank in RANKS if rank < most), most]
    kept = 0
    for place, rank in enumerate(tried):
        if stop is not None:
            stop.check()
        yield Progress(1 + place / len(tried), 4, f"Asking the facts at rank {rank}")
        with parts.model.with_weights(parts.weights(parts.products(rank, dtype))):
            kept = sum(exam.now())
        if kept >= settings.needed(held):
            yield Remark(
                f"Rank {rank} keeps {kept} of the {count(held, 'fact')} that the patch holds: "
                f"{size(parts.bytes(rank, dtype))}."
            )
            return rank
    raise PatchError(
        f"This edit does not fit in an adapter: at rank {most}, the largest that vLLM loads, "
        f"{kept} of {count(held, 'fact')} hold. Export the full model or a GGUF file, or ask for "
        "less with --retain."
    )


def _write(
    parts: Decomposed, products: dict[str, Product], model: LanguageModel, folder: Path
) -> None:
    tensors = {}
    for name, product in products.items():
        tensors[f"{PREFIX}{name}.lora_A.weight"] = product.down.contiguous()
        tensors[f"{PREFIX}{name}.lora_B.weight"] = product.up.contiguous()
    save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    rank = next(iter(products.values())).down.shape[0]
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_path(model),
        "r": rank,
        "lora_alpha": rank,
        **_targets(list(products), model),
        "fan_in_fan_out": bool(parts.turned),
        "bias": "none",
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_rslora": False,
        "use_dora": False,
        "inference_mode": True,
    }
    (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _targets(modules: list[str], model: LanguageModel) -> dict[str, Any]:
    """How an adapter's config names its modules: by their last names and layers, where that does.

    vLLM and SGLang tell by last names for which modules they need room.
    """
    layers = model.layers.name
    front = f"{layers}."
    numbers = sorted({int(name.removeprefix(front).partition(".")[0]) for name in modules})
    ends = sorted({name.rpartition(".")[2] for name in modules})
    meant = {
        name
        for name, _ in model.network.named_modules()
        if name.startswith(tuple(f"{front}{number}." for number in numbers))
        and name.rpartition(".")[2] in ends
    }
    if meant == set(modules):
        pattern = layers.rpartition(".")[2]
        return {"target_modules": ends, "layers_to_transform": numbers, "layers_pattern": pattern}
    return {"target_modules": sorted(modules)}


def _loaded_back(
    parts: Decomposed, products: dict[str, Product], exam: Holding, folder: Path, out: Path
) -> tuple[int, tuple[str, ...]]:
    """How many facts hold with the adapter on the base, and what people should know.

    Raises:
        PatchError: peft does not load it, or it holds other facts than its weights do.
    """
    with parts.model.with_weights(parts.weights(products)):
        expected = exam.now()
    if find_spec("peft") is None:
        return sum(expected), (f"It was not loaded back: {PEFT_MISSING}.",)
    with adapted(parts.model, folder):
        found = exam.now()
    # An adapter is computed apart from the weights, so that a close call may go either way.
    differing = sum(one != other for one, other in zip(expected, found, strict=True))
    if differing > max(1, len(expected) // 20):
        raise PatchError(
            f"Loaded back by peft, the adapter answers {differing} of {len(expected)} facts "
            f"otherwise than its weights in memory. '{out}' was not made; export the full model."
        )
    return sum(found), ()


@contextmanager
def adapted(model: LanguageModel, folder: Path) -> Iterator[None]:
    """A block in which peft has an adapter on a model.

    Invariant: after the block the model is what it was: its weights were only wrapped.

    Raises:
        PatchError: peft is not installed, or cannot load the adapter onto this model.
    """
    if find_spec("peft") is None:
        raise PatchError(f"The adapter '{folder}' cannot be loaded: {PEFT_MISSING}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what peft calls in transformers
            from peft import PeftModel

            wrapped = PeftModel.from_pretrained(model.network, str(folder))
    except Exception as error:
        # What it wrapped before it failed is what the model must be freed of.
        _unwrap(model.network)
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise PatchError(
            f"The adapter '{folder}' cannot be loaded onto '{model.name}': {said[0]}. Name the "
            "model that it was made for."
        ) from error
    try:
        wrapped.eval()
        yield
    finally:
        wrapped.unload()
        _unwrap(model.network)
        model.network.requires_grad_(False)


def _unwrap(network: torch.nn.Module) -> None:
    """Takes adapters out of a network, and the marks that peft leaves on it."""
    for name, module in list(network.named_modules()):
        base = getattr(module, "base_layer", None)
        if isinstance(base, torch.nn.Module):
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, base)
    network.__dict__.pop("peft_config", None)
    network.__dict__.pop("_hf_peft_config_loaded", None)
