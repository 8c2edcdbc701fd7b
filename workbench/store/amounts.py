"""How much work a request is, told alike before it is done and once it was.

Counted from what the session holds, without a model; knows nothing about seconds.
"""

from collections.abc import Iterator
from dataclasses import replace

from workbench.measure.evaluation_settings import ALL_UP_TO, EvaluationSettings
from workbench.measure.stress_settings import StressSettings
from workbench.methods.locft_settings import automatic_epochs
from workbench.model.places import Places
from workbench.search.stages import WIDENED_LAYERS
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_settings import (
    EVERY_MATRIX,
    TRAINED,
    WHOLE_LAYER,
    ResolvedSweepSettings,
    SweepSettings,
)
from workbench.store.database import to_json
from workbench.store.paces import Amount
from workbench.store.requests import (
    EvaluateRequest,
    ExportRequest,
    FillRequest,
    Request,
    RippleRequest,
    ScanRequest,
    StressRequest,
    StudyRequest,
    SweepRequest,
)
from workbench.store.store import Store
from workbench.work.settings import SettingsRecord

__all__ = ["COUNTED", "above", "amount_of", "scan_texts", "sweep_passes"]

COUNTED = (
    ScanRequest,
    SweepRequest,
    EvaluateRequest,
    StressRequest,
    StudyRequest,
    RippleRequest,
    ExportRequest,
    FillRequest,
)
"""The requests whose work can be counted; the estimate of a run has steps of its own."""

UNRELATED = 16  # prompts that a scan asks besides the sample, each about as long as a text of it


def amount_of(store: Store, request: Request) -> Amount | None:
    """How much work a request is; None where that cannot be counted.

    Args:
        store: the session, as it is before the work.
        request: what is asked for.
    """
    if isinstance(request, ScanRequest):
        return Amount(
            "scan", "", scan_texts(store.facts.count(enabled=True), request.settings.sample)
        )
    if isinstance(request, SweepRequest):
        return _of_sweep(store, request.settings)
    if isinstance(request, EvaluateRequest):
        return _of_evaluation(store, request.run, request.settings)
    if isinstance(request, StressRequest):
        return _of_stress(store, request.run, request.settings)
    if isinstance(request, StudyRequest):
        return _of_study(store, request.settings)
    if isinstance(request, RippleRequest):
        return Amount("ripple", "", 1.0)  # of many facts a sample is drawn
    if isinstance(request, ExportRequest):
        return Amount("export", request.settings.form or "full", 1.0)
    if isinstance(request, FillRequest):
        return Amount("ask", "", float(len(request.facts)))
    return None


def scan_texts(facts: int, sample: int) -> float:
    """How many texts a scan passes through the model.

    Args:
        facts: that are ticked.
        sample: most of them that are tried.
    """
    return float(min(facts, sample) + UNRELATED)


def _of_evaluation(store: Store, run: int | None, settings: EvaluationSettings) -> Amount:
    # Of many facts some are drawn for what takes longest.
    many = "many" if _facts(store, run) > ALL_UP_TO else ""
    about = f"{_side(run)} {many} {_told(settings, 'seed')}"
    return Amount("evaluate", about, _letters(store, run))


def _of_stress(store: Store, run: int | None, settings: StressSettings) -> Amount:
    facts = _facts(store, run)
    drawn = min(facts, settings.facts_of(facts))
    letters = _letters(store, run) * drawn / max(1, facts)
    return Amount("stress", f"{_side(run)} {_told(settings, 'seed', 'facts')}", letters)


def _of_study(store: Store, settings: StudySettings) -> Amount:
    facts = store.facts.count(enabled=True)
    used = min(settings.facts or facts, facts)
    return Amount("study", _told(settings, "seed", "facts"), float(used))


def _of_sweep(store: Store, settings: SweepSettings) -> Amount | None:
    """A sweep that ends by itself; with a budget it takes what it was given."""
    summary = store.settings.summary
    if summary is None or settings.budget is not None:
        return None
    facts = store.facts.count(enabled=True)
    resolved = settings.resolved(facts, summary.preset, summary.where)
    trained = {name: getattr(settings, name) for name in TRAINED}
    passes = sweep_passes(resolved, summary.where, widens=not settings.modules)
    return Amount("sweep", to_json(trained), passes)


def sweep_passes(settings: ResolvedSweepSettings, places: Places, *, widens: bool) -> float:
    """How often a fact passes a layer in a sweep, at most, as far as that can be foreseen.

    Args:
        settings: resolved.
        places: of the model.
        widens: whether every matrix of the best layers is tried, too.
    """
    tried = list(_places_of(settings, places))
    short = sum(above(places, layer) for layer, _ in tried)
    if widens:
        # As if the last layers were the best, which they often are.
        every = replace(settings, layers=settings.layers[-WIDENED_LAYERS:], modules=(EVERY_MATRIX,))
        known = {(layer, name) for name in settings.modules for layer in places.having(name)}
        short += sum(
            above(places, layer)
            for layer, name in _places_of(every, places)
            if (layer, name) not in known
        )
    passes = short * settings.epochs * len(settings.learning_rates)
    full = automatic_epochs(settings.sample, settings.batch_size)
    if settings.full_runs and full > settings.epochs:
        runs = min(settings.full_runs, len(tried) * len(settings.learning_rates))
        passes += runs * full * above(places, settings.layers[-1])
    return float(passes * settings.sample)


def above(places: Places, layer: int) -> int:
    """The layers that a step at a layer passes through, with the head."""
    return places.layers - layer + 1


def _places_of(settings: ResolvedSweepSettings, places: Places) -> Iterator[tuple[int, str]]:
    for name in settings.modules:
        names = places.modules if name == EVERY_MATRIX else [name]
        for module in names:
            having = places.having("" if module == WHOLE_LAYER else module)
            yield from ((layer, module) for layer in having if layer in settings.layers)


def _side(run: int | None) -> str:
    return "base" if run is None else "run"


def _facts(store: Store, run: int | None) -> int:
    return store.facts.count(enabled=True) if run is None else store.runs.get(run).facts


def _letters(store: Store, run: int | None) -> float:
    """How long all is that is asked of the ticked facts, or of a run's."""
    if run is None:
        return float(store.facts.letters())
    try:
        return float((store.runs.folder(run) / "facts.jsonl").stat().st_size)
    except OSError:
        return 0.0


def _told(settings: SettingsRecord, *without: str) -> str:
    """Settings as text, without those that take no time."""
    return to_json({name: v for name, v in settings.as_dict().items() if name not in without})
