"""What each column of a session may hold, beyond the type that the schema gives it.

JSON has the form of the record that is read from it: by that record's own codec, or by a shape
that is written down here where the page reads plain data. Raises whatever a codec raises;
`workbench.store.foreign` says of which row.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from workbench.actions import ACTIONS, settings_class
from workbench.errors import RecordError
from workbench.facts.problems import WHY, Problem, Severity
from workbench.measure.capability_result import Capability
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.health_result import Health
from workbench.measure.protocols import split_metric
from workbench.measure.verdicts import QuestionVerdicts, Role
from workbench.methods.base import LOCFT_BF, METHODS
from workbench.model.choice import ModelChoice
from workbench.search.scan_result import Scan
from workbench.search.study_events import TrialDone
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_events import LocationDone, SweepStarted
from workbench.search.sweep_settings import SweepSettings
from workbench.store.fact_rows import Questions, fact_of
from workbench.store.foreign_looks import result_rule
from workbench.store.foreign_settings import LONGEST_NAME, SETTINGS, require_setting
from workbench.store.jobs import JobKind, JobState
from workbench.store.probes import Answered
from workbench.store.probes import Role as ProbeRole
from workbench.store.requests import EditRequest, FirstBatchRequest, request_of
from workbench.store.run_rows import RunOnto, RunState
from workbench.work.events import Event
from workbench.work.records import from_data, from_text
from workbench.work.settings import SettingsRecord

__all__ = ["CHOICES", "RULES", "require_plain"]

DEEPEST = 24  # lists and objects inside each other
MOST = 2**53  # the largest whole number that a browser tells from its neighbours

Row = Mapping[str, Any]
Rule = Callable[[str, Row], object]


@dataclass(frozen=True, slots=True)
class Interval:
    """A share and where most of its resamples lie; a study keeps its count with a point."""

    value: float
    low: float
    high: float
    count: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The shares of a run; those of before there were intervals have none."""

    before: dict[str, float | None] | None = None
    after: dict[str, float | None] | None = None
    intervals: dict[str, dict[str, Interval]] | None = None
    counts: dict[str, int] | None = None
    sentence: str = ""
    figures: dict[str, dict[str, float]] | None = None
    unended: dict[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class GroupShares:
    """The shares of some facts of an evaluation."""

    by: str
    label: str
    facts: int
    measured: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class WholeEvaluation:
    """The part of a report that always stands."""

    before: dict[str, float | None]
    after: dict[str, float | None] | None
    intervals: dict[str, dict[str, Interval]]
    counts: dict[str, int]
    sentence: str
    groups: tuple[GroupShares, ...]
    failed: int
    failures: tuple[QuestionVerdicts, ...]
    figures: dict[str, dict[str, float]] | None = None
    unended: dict[str, float | None] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class FactsOfReport:
    """Which facts were asked."""

    count: int
    digest: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What every part of a report has."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation's report."""

    evaluation: WholeEvaluation
    facts: FactsOfReport
    versions: dict[str, str] | None = None
    health: Health | None = None
    capability: Capability | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the training of a run ended."""

    reason: str = ""
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0
    losses: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptOption:
    """A fact that is one side of a conflict, or was before one was decided."""

    prompt: str
    target_new: str
    subject: str
    ground_truth: str
    questions: str
    rows: tuple[int, ...] | None = None
    changed: float | None = None


def require_plain(value: Any, depth: int = 0) -> None:
    """Makes sure that data can be shown and counted on.

    Args:
        value: out of JSON.
        depth: how far inside it lies.

    Raises:
        RecordError: it is nested too deeply, has a number that is beyond counting, or half a
            character.
    """
    if depth > DEEPEST:
        raise RecordError("It is nested too deeply.")
    if isinstance(value, dict):
        for name, entry in value.items():
            require_plain(name, depth + 1)
            require_plain(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            require_plain(entry, depth + 1)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, int) and abs(value) > MOST:
        raise RecordError("A number in it is too large.")


def _record(kind: Any) -> Rule:
    return lambda text, row: from_text(kind, text)


def _fact(text: str, row: Row) -> None:
    from_text(Questions, text)
    fact_of(row)


def _options(text: str, row: Row) -> None:
    found = from_text(tuple[KeptOption, ...], text)
    if not found:
        raise RecordError("There is no option.")
    for option in found:
        if option.rows is None:
            raise RecordError("An option does not say from which rows it comes.")
        _option(option)


def _option(option: KeptOption) -> None:
    from_text(Questions, option.questions)
    fact_of({name: getattr(option, name) for name in KeptOption.__slots__})


def _settings(kind: type[SettingsRecord], data: Any) -> Any:
    """Settings by both of their codecs: one knows their names, the other their types."""
    kind.from_dict(from_data(dict[str, Any], data))
    return from_data(kind, data)


def _settings_rule(kind: type[SettingsRecord]) -> Rule:
    return lambda text, row: _settings(kind, json.loads(text))


def _of_method(method: str, data: Any) -> None:
    known = METHODS.get(method)
    from_data(dict[str, Any], data)
    if known is not None:
        _settings(known.settings, data)


def _request(text: str, row: Row) -> None:
    found = request_of(row["kind"], from_text(dict[str, Any], text))
    if isinstance(found, EditRequest | FirstBatchRequest):
        _of_method(found.method, found.settings)


def _metrics(text: str, row: Row) -> None:
    _require_names(from_text(Metrics, text).intervals or {})


def _require_names(sides: Mapping[str, Mapping[str, Interval]]) -> None:
    for side in sides.values():
        for name in side:
            split_metric(name)


def _report(text: str, row: Row) -> None:
    found, data = from_text(Report, text), json.loads(text)
    _require_names(found.evaluation.intervals)
    _require_names({str(n): group.measured for n, group in enumerate(found.evaluation.groups)})
    for part in ("health", "capability"):
        if data.get(part, ...) is None:
            raise RecordError(f"{part} is there and empty.")
        if part in data:
            from_data(Sentence, data[part])
    if found.capability is not None:
        Capability.from_dict(data["capability"])


def _event(text: str, row: Row) -> None:
    """An event of a run; one of a method that is not installed here is never read."""
    data = from_text(dict[str, Any], text)
    if not isinstance(data.get("event"), str):
        raise RecordError("An event has a name.")
    if Event.is_known(data["event"]):
        Event.from_dict(data)


def _event_of(kind: type[Event]) -> Rule:
    def check(text: str, row: Row) -> None:
        found = Event.from_dict(from_text(dict[str, Any], text))
        if not isinstance(found, kind):
            raise RecordError(f"It is no {kind.__name__}.")

    return check


def _study_event(text: str, row: Row) -> None:
    """An event of a study; the shares of a trial are looser in its type than in its table."""
    found = Event.from_dict(from_text(dict[str, Any], text))
    if isinstance(found, TrialDone):
        for side in (found.before, found.after):
            _require_names({"": from_data(dict[str, Interval], dict(side))})


def _setting(text: str, row: Row) -> None:
    """A value of the table of settings, by its name; a name of a later version may be there."""
    name, value = row["name"], json.loads(text)
    action, _, method = name.partition(":")
    action = {"evaluation": "evaluate"}.get(action, action)
    if action == "edit":
        _of_method(method or LOCFT_BF.key, value)
    elif name == "model":
        if len(_settings(ModelChoice, value).name) > LONGEST_NAME:
            raise RecordError("The name of a model is not that long.")
    elif action in ACTIONS and ACTIONS[action].on_page and not method:
        _settings(settings_class(action), value)
    elif name in SETTINGS:
        require_setting(name, text)


CHOICES: dict[str, tuple[str, ...]] = {
    "jobs.kind": get_args(JobKind),
    "jobs.state": get_args(JobState),
    "runs.state": get_args(RunState),
    "sweeps.state": get_args(RunState),
    "studies.state": get_args(RunState),
    "probes.role": get_args(ProbeRole),
    "evaluation_rows.role": get_args(Role),
    "import_problems.severity": get_args(Severity),
    "import_problems.kind": tuple(WHY),
}

RULES: dict[str, Rule] = {
    "settings.value": _setting,
    "facts.questions": _fact,
    "fact_versions.questions": _fact,
    "facts.problems": _record(tuple[Problem, ...]),
    "facts.lengths": _record(tuple[Problem, ...]),
    "jobs.params": _request,
    "jobs.result": result_rule,
    "runs.settings": lambda text, row: _of_method(row["method"], json.loads(text)),
    "runs.metrics": _metrics,
    "runs.outcome": _record(Outcome),
    "runs.places": _record(tuple[str, ...]),
    "runs.onto": _record(RunOnto),
    "events.event": _event,
    "probes.before": _record(Answered),
    "probes.after": _record(Answered),
    "probes.partial": _record(dict[str, str]),
    "pinned_answers.answer": _record(Answered),
    "talks.runs": _record(tuple[int, ...]),
    "turns.answers": _record(dict[str, Answered]),
    "turns.partial": _record(dict[str, str]),
    "scans.result": _record(Scan),
    "sweeps.settings": _settings_rule(SweepSettings),
    "sweeps.identity": _record(dict[str, Any]),
    "sweeps.plan": _event_of(SweepStarted),
    "sweep_rows.row": _event_of(LocationDone),
    "evaluations.settings": _settings_rule(EvaluationSettings),
    "evaluations.report": _report,
    "evaluation_rows.row": _record(QuestionVerdicts),
    "studies.settings": _settings_rule(StudySettings),
    "studies.identity": _record(dict[str, Any]),
    "study_events.event": _study_event,
    "imports.unused": _record(tuple[str, ...]),
    "imports.columns": _record(dict[str, str]),
    "import_conflicts.options": _options,
    "import_conflicts.was": lambda text, row: _option(from_text(KeptOption, text)),
}
