"""The actions as Python functions; `workbench` exports them.

Each takes the model, the facts and its settings, as an object or field by field, in the words of
the command line and the page. The model itself always stays as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from workbench.actions import settings_class
from workbench.facts.fact import Fact
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.measures import Measures
from workbench.measure.measuring import measuring
from workbench.measure.probe import probe
from workbench.measure.stress_result import Stress
from workbench.measure.stress_settings import StressSettings
from workbench.methods.edit import edit
from workbench.methods.plan_result import Plan
from workbench.methods.plan_settings import PlanSettings
from workbench.methods.planning import machine_of, planned
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.methods.rephrased import Rephrased
from workbench.methods.rephrasing import rephrasing
from workbench.model.devices import choose_device
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_outline
from workbench.model.patch import Patch
from workbench.search.scan import scanning
from workbench.search.scan_result import Scan
from workbench.search.scan_settings import ScanSettings
from workbench.search.stress import stressing
from workbench.search.study_events import KEPT
from workbench.search.study_settings import StudySettings
from workbench.search.studying import Studied, studying
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.search.sweeping import SweepResult, sweeping
from workbench.ship.export import shipping
from workbench.ship.export_settings import ExportSettings
from workbench.ship.verified import Verified
from workbench.ship.verify import verifying
from workbench.ship.verify_settings import VerifySettings
from workbench.work.events import Event, Progress, Work, follow
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

__all__ = [
    "edit",
    "evaluate",
    "export",
    "plan",
    "probe",
    "rephrase",
    "scan",
    "stress",
    "study",
    "sweep",
    "verify",
]

OnEvent = Callable[[Event], object]
Result = TypeVar("Result")


def plan(
    model: str = "builtin",
    settings: PlanSettings | None = None,
    *,
    device: str | None = None,
    dtype: str | None = None,
    trust_remote_code: bool = False,
    **changes: Any,
) -> Plan:
    """Says what a run would take and where it would fit, by a model's config alone.

    No weight is read, and the hub is asked only for a config that is not in this machine's cache.

    Args:
        model: ``builtin``, ``smollm2-135m``, a hub id, a folder with a config.json, a GGUF file.
        settings: None for all defaults.
        device: where the run would be; None takes the best there is, or, where a memory is
            given, a GPU, which need not be in this machine.
        dtype: see `load_model`.
        trust_remote_code: see `load_model`.
        **changes: fields of `PlanSettings` that differ from `settings`.

    Raises:
        WorkbenchError: no such model, wrong settings, or a location that is not in the model.
    """
    chosen = _chosen("plan", settings, changes)
    elsewhere = chosen.memory is not None and device is None
    where = torch.device("cuda") if elsewhere else choose_device(device)
    outline = load_outline(model, device=where, dtype=dtype, trust_remote_code=trust_remote_code)
    return planned(outline, chosen, machine_of(chosen, where, outline.dtype, here=not elsewhere))


def rephrase(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: RephraseSettings | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> list[Rephrased]:
    """Has a base write facts' prompts in other words, and checks which mean the same.

    Nothing is added to a fact: `Wording.against` says what speaks against each wording, and those
    that are wanted go into the fact's `wordings`. Small models rarely write any that pass.

    Args:
        model: the base.
        facts: whose prompts.
        settings: None for all defaults.
        on_event: called with every event.
        stop: the wish to end it.
        **changes: fields of `RephraseSettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        WorkbenchError: wrong settings, or no memory left.
    """
    chosen = _chosen("rephrase", settings, changes)
    return follow(rephrasing(model, facts, chosen, stop=stop), on_event)


def scan(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: ScanSettings | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Scan:
    """Looks, in seconds, which matrices the facts pull at.

    Args:
        model: the base.
        facts: what the sample is drawn from.
        settings: None for all defaults.
        on_event: called with every event.
        stop: the wish to end it.
        **changes: fields of `ScanSettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        WorkbenchError: wrong facts or settings, or no memory left.
    """
    chosen = _chosen("scan", settings, changes)
    return follow(scanning(model, facts, chosen, stop=stop), on_event)


def sweep(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SweepSettings | None = None,
    *,
    folder: str | Path | None = None,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> SweepResult:
    """Tries edits at many locations, scores them on what is held out, and recommends one.

    Args:
        model: the base.
        facts: what the sample is drawn from.
        settings: None for all automatic.
        folder: where rows are kept, to go on from later; None keeps none.
        on_event: called with every event.
        stop: the wish to end it; what was found by then is returned.
        **changes: fields of `SweepSettings` that differ from `settings`.

    Raises:
        WorkbenchError: wrong facts, settings or locations, or no memory left.
    """
    chosen = _chosen("sweep", settings, changes)
    keeper: Keeper = FORGETFUL
    if folder is not None:
        keeper = FolderKeeper(Path(folder), "sweep", (LocationDone,))
    return _kept(sweeping(model, facts, chosen, keeper=keeper, stop=stop), keeper, on_event)


def study(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: StudySettings | None = None,
    *,
    folder: str | Path | None = None,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Studied:
    """Compares pipelines, numbers of facts, places, or methods, with the same budget for each.

    Args:
        model: the base.
        facts: what the study draws from.
        settings: None for all automatic.
        folder: where the study is kept, to go on from later; None keeps none.
        on_event: called with every event.
        stop: the wish to end it; what was found by then is returned.
        **changes: fields of `StudySettings` that differ from `settings`.

    Raises:
        WorkbenchError: wrong facts, settings or locations, or no memory left.
    """
    chosen = _chosen("study", settings, changes)
    keeper: Keeper = FORGETFUL
    if folder is not None:
        keeper = FolderKeeper(Path(folder), "study", KEPT, StudySettings)
    return _kept(studying(model, facts, chosen, keeper=keeper, stop=stop), keeper, on_event)


def evaluate(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    settings: EvaluationSettings | None = None,
    *,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    on_event: OnEvent | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Measures:
    """Measures the base, and the edited model where there is a patch.

    Args:
        model: the base.
        facts: what is asked.
        patch: the edit; None measures the base alone.
        settings: None for all defaults.
        labels: further ways to group the facts, each with a label for every fact.
        on_event: called with every event.
        on_progress: called with work done and work in all.
        stop: the wish to end it.
        **changes: fields of `EvaluationSettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        WorkbenchError: wrong facts or settings, a patch of another base, or no memory left.
    """
    chosen = _chosen("evaluate", settings, changes)

    def tell(event: Event) -> None:
        if on_event is not None:
            on_event(event)
        if on_progress is not None and isinstance(event, Progress):
            on_progress(int(event.done), int(event.total))

    return follow(measuring(model, facts, patch, chosen, labels, stop=stop), tell)


def stress(
    model: LanguageModel,
    facts: Sequence[Fact],
    patch: Patch | None = None,
    settings: StressSettings | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Stress:
    """Asks for the facts as nobody trained them, before, after, and after unrelated fine-tuning.

    Args:
        model: the base.
        facts: what is asked.
        patch: the edit; None asks the base alone.
        settings: None for all defaults.
        on_event: called with every event.
        stop: the wish to end it.
        **changes: fields of `StressSettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        WorkbenchError: wrong facts or settings, a patch of another base, or no memory left.
    """
    chosen = _chosen("stress", settings, changes)
    return follow(stressing(model, facts, patch, chosen, stop=stop), on_event)


def export(
    model: LanguageModel,
    patch: Patch,
    folder: str | Path,
    facts: Sequence[Fact] = (),
    settings: ExportSettings | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Path:
    """Writes the edit in the form in which people run it; returns where it is.

    A full model is loaded again and must answer as the edited model does; a GGUF file is asked in
    llama.cpp, an adapter with peft, where they are installed. `workbench.ship.export.shipping`
    tells what they answered.

    Args:
        model: the patch's base.
        patch: the edit.
        folder: a new folder; of a GGUF file, the new file.
        facts: what was edited, by which it is told what is kept.
        settings: None for a full model.
        on_event: called with every event.
        stop: the wish to end it; nothing is left.
        **changes: fields of `ExportSettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        SettingsError: wrong settings, or a setting of another form.
        PatchError: another base; what is to be written exists already; or what was written does
            not load or does not hold what it should, and was taken away.
        ModelError: the model cannot be asked.
    """
    chosen = _chosen("export", settings, changes)
    return follow(shipping(model, patch, Path(folder), facts, chosen, stop), on_event).path


def verify(
    model: str | Path,
    facts: Sequence[Fact],
    settings: VerifySettings | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    **changes: Any,
) -> Verified:
    """Asks anything that an edit was written to which facts hold, in each form.

    Args:
        model: a folder, a hub id, a GGUF file, an adapter, a patch, or the address of an
            OpenAI-compatible endpoint.
        facts: what is asked.
        settings: None for all defaults.
        on_event: called with every event.
        stop: the wish to end it.
        **changes: fields of `VerifySettings` that differ from `settings`.

    Raises:
        Cancelled: `stop` was asked.
        WorkbenchError: there is nothing of that name, or it cannot be asked.
    """
    chosen = _chosen("verify", settings, changes)
    return follow(verifying(str(model), facts, chosen, stop), on_event)


def _chosen(action: str, settings: SettingsRecord | None, changes: dict[str, Any]) -> Any:
    """The settings of an action, with some fields changed.

    Raises:
        SettingsError: there is no such field, or a value makes no sense.
    """
    kind = settings_class(action)
    basis = settings if settings is not None else kind()
    return kind.from_dict(basis.as_dict() | changes) if changes else basis


def _kept(work: Work[Result], keeper: Keeper, on_event: OnEvent | None) -> Result:
    """Work whose events are kept, and told."""

    def take(event: Event) -> None:
        keeper.take(event)
        if on_event is not None:
            on_event(event)

    return follow(work, take)
