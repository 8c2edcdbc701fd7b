"""The LocFT workbench: edit facts in open-weights language models with LocFT-BF.

The names below are the Python API. They are imported when first used, so that importing the
package is quick and does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench._version import __version__

if TYPE_CHECKING:
    from workbench.api import (
        edit,
        evaluate,
        export,
        plan,
        probe,
        rephrase,
        scan,
        stress,
        study,
        sweep,
        verify,
    )
    from workbench.errors import WorkbenchError
    from workbench.facts.fact import Fact, Question
    from workbench.facts.read import read_facts
    from workbench.measure.evaluation_settings import EvaluationSettings
    from workbench.measure.stress_settings import StressSettings
    from workbench.methods.locft_settings import EditSettings
    from workbench.methods.plan_settings import PlanSettings
    from workbench.methods.rephrase_settings import RephraseSettings
    from workbench.model.load import load_model
    from workbench.model.patch import Patch
    from workbench.search.scan_settings import ScanSettings
    from workbench.search.study_settings import StudySettings
    from workbench.search.sweep_settings import SweepSettings
    from workbench.ship.export_settings import ExportSettings
    from workbench.ship.verify_settings import VerifySettings

__all__ = [
    "EditSettings",
    "EvaluationSettings",
    "ExportSettings",
    "Fact",
    "Patch",
    "PlanSettings",
    "Question",
    "RephraseSettings",
    "ScanSettings",
    "StressSettings",
    "StudySettings",
    "SweepSettings",
    "VerifySettings",
    "WorkbenchError",
    "__version__",
    "edit",
    "evaluate",
    "export",
    "load_model",
    "plan",
    "probe",
    "read_facts",
    "rephrase",
    "scan",
    "stress",
    "study",
    "sweep",
    "verify",
]

_HOMES = {
    "EditSettings": "workbench.methods.locft_settings",
    "EvaluationSettings": "workbench.measure.evaluation_settings",
    "ExportSettings": "workbench.ship.export_settings",
    "Fact": "workbench.facts.fact",
    "Patch": "workbench.model.patch",
    "PlanSettings": "workbench.methods.plan_settings",
    "Question": "workbench.facts.fact",
    "RephraseSettings": "workbench.methods.rephrase_settings",
    "ScanSettings": "workbench.search.scan_settings",
    "StressSettings": "workbench.measure.stress_settings",
    "StudySettings": "workbench.search.study_settings",
    "SweepSettings": "workbench.search.sweep_settings",
    "VerifySettings": "workbench.ship.verify_settings",
    "WorkbenchError": "workbench.errors",
    "edit": "workbench.api",
    "evaluate": "workbench.api",
    "export": "workbench.api",
    "load_model": "workbench.model.load",
    "plan": "workbench.api",
    "probe": "workbench.api",
    "read_facts": "workbench.facts.read",
    "rephrase": "workbench.api",
    "scan": "workbench.api",
    "stress": "workbench.api",
    "study": "workbench.api",
    "sweep": "workbench.api",
    "verify": "workbench.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
