"""The LocFT workbench: edit facts in open-weights language models with LocFT-BF.

The names below are the Python API. They are imported when first used, so that importing the
package is quick and does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench._version import __version__

if TYPE_CHECKING:
    from workbench.errors import WorkbenchError
    from workbench.facts.fact import Fact, Question
    from workbench.facts.read import read_facts
    from workbench.measure.evaluate import evaluate
    from workbench.measure.probe import probe
    from workbench.methods.edit import edit
    from workbench.methods.locft_settings import EditSettings
    from workbench.model.load import load_model
    from workbench.model.patch import Patch

__all__ = [
    "EditSettings",
    "Fact",
    "Patch",
    "Question",
    "WorkbenchError",
    "__version__",
    "edit",
    "evaluate",
    "load_model",
    "probe",
    "read_facts",
]

_HOMES = {
    "EditSettings": "workbench.methods.locft_settings",
    "Fact": "workbench.facts.fact",
    "Patch": "workbench.model.patch",
    "Question": "workbench.facts.fact",
    "WorkbenchError": "workbench.errors",
    "edit": "workbench.methods.edit",
    "evaluate": "workbench.measure.evaluate",
    "load_model": "workbench.model.load",
    "probe": "workbench.measure.probe",
    "read_facts": "workbench.facts.read",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
