"""The record of a run that its patch carries: base, place, facts, settings, metrics, versions."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import torch
import transformers

from workbench._version import __version__
from workbench.facts.fact import Fact, facts_digest
from workbench.model.language_model import LanguageModel
from workbench.work.settings import SettingsRecord

__all__ = ["base_record", "patch_metadata"]


def base_record(model: LanguageModel, tensors: Sequence[str]) -> dict[str, Any]:
    """What tells the base again: its name, shape, and the hashes of some of its tensors."""
    origin = {"origin": model.origin} if model.origin else {}
    return {
        "name": model.name,
        **origin,
        "model_type": model.shape.model_type,
        "layers": model.shape.layers,
        "hidden_size": model.shape.hidden_size,
        "vocab_size": model.shape.vocab_size,
        "hashes": {name: model.base_hash(name) for name in tensors},
    }


def patch_metadata(
    model: LanguageModel,
    facts: Sequence[Fact],
    *,
    method: str,
    at: Sequence[str],
    settings: SettingsRecord,
    tensors: Sequence[str],
    metrics: dict[str, Any],
) -> dict[str, Any]:
    """Everything but the tensors, as JSON-ready data.

    Args:
        model: the base.
        facts: what was compiled.
        method: the key of the method.
        at: the places that were changed.
        settings: the resolved settings.
        tensors: names of the replaced tensors.
        metrics: numbers whose names say by which protocol they were measured.
    """
    return {
        "base": base_record(model, tensors),
        "method": method,
        "at": list(at),
        "facts": len(facts),
        "facts_digest": facts_digest(facts),
        "settings": settings.as_dict(),
        "metrics": metrics,
        "dtype": str(model.dtype).removeprefix("torch."),
        "versions": {
            "workbench": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
