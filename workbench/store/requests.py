"""What can be asked of the worker, as typed records: the params of jobs.

A job's kind is what people see; some kinds can be asked for in two ways, which are told apart by
their fields. A request is kept as JSON and read back through `request_of`, so that what crosses
from the page to the worker has one form. Knows nothing about how the work is done.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from workbench.errors import RecordError
from workbench.facts.forms import AskedForm
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.probe_settings import ProbeSettings
from workbench.measure.stress_settings import StressSettings
from workbench.methods.base import LOCFT_BF
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.search.scan_settings import ScanSettings
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_settings import SweepSettings
from workbench.ship.export_settings import ExportSettings
from workbench.work.records import from_data
from workbench.work.settings import SettingsRecord

__all__ = [
    "AskRequest",
    "EditRequest",
    "EvaluateRequest",
    "ExportRequest",
    "FillRequest",
    "FirstBatchRequest",
    "ImportRequest",
    "JobKind",
    "LoadRequest",
    "LookRequest",
    "RephraseRequest",
    "Request",
    "ResumeRequest",
    "RippleRequest",
    "ScanRequest",
    "StressRequest",
    "StudyRequest",
    "SweepRequest",
    "TalkRequest",
    "edit_request",
    "request_of",
]

JobKind = Literal[
    "load",
    "ask",
    "look",
    "rephrase",
    "scan",
    "sweep",
    "edit",
    "evaluate",
    "stress",
    "study",
    "export",
    "import",
]


@dataclass(frozen=True, slots=True)
class Request:
    """The base of all requests."""

    kind: ClassVar[JobKind]


@dataclass(frozen=True, slots=True)
class LoadRequest(Request):
    """Load the session's model."""

    kind = "load"


@dataclass(frozen=True, slots=True)
class AskRequest(Request):
    """Answer probes.

    Args:
        probes: their ids.
        settings: how they are answered; whether through the chat template is each probe's own.
    """

    kind = "ask"

    probes: tuple[int, ...]
    settings: ProbeSettings = ProbeSettings()


@dataclass(frozen=True, slots=True)
class TalkRequest(Request):
    """Answer what has no answer yet in a conversation.

    Args:
        talk: its id.
        settings: how it is answered; whether through the chat template is the conversation's own.
    """

    kind = "ask"

    talk: int
    settings: ProbeSettings = ProbeSettings()


@dataclass(frozen=True, slots=True)
class FillRequest(Request):
    """Let the base say facts' old answers.

    Args:
        facts: the rows' ids.
        overwrite: whether old answers that are there are replaced.
    """

    kind = "ask"

    facts: tuple[int, ...]
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class RephraseRequest(Request):
    """Have the base write facts' prompts in other words.

    Args:
        facts: the rows' ids; None for those that are ticked.
        settings: how.
    """

    kind = "rephrase"

    facts: tuple[int, ...] | None = None
    settings: RephraseSettings = RephraseSettings()


@dataclass(frozen=True, slots=True)
class LookRequest(Request):
    """Look inside the model at a prompt.

    Args:
        prompt: what is asked.
        answer: how likely it is, layer by layer.
        old: likewise; empty for none.
        form: in which form it is asked.
    """

    kind = "look"

    prompt: str
    answer: str
    old: str = ""
    form: AskedForm = "raw"


@dataclass(frozen=True, slots=True)
class RippleRequest(Request):
    """Look at what a run changed besides its facts."""

    kind = "look"

    run: int


@dataclass(frozen=True, slots=True)
class FirstBatchRequest(Request):
    """Show the first batch of the next run as tokens.

    Args:
        settings: of the method, as JSON-ready data.
        method: its key.
    """

    kind = "look"

    settings: dict[str, Any] = field(default_factory=dict)
    method: str = LOCFT_BF.key


@dataclass(frozen=True, slots=True)
class ScanRequest(Request):
    """Scan every matrix with the ticked facts."""

    kind = "scan"

    settings: ScanSettings = ScanSettings()


@dataclass(frozen=True, slots=True)
class SweepRequest(Request):
    """Sweep the layers with the ticked facts.

    Args:
        settings: how.
        weights: of the score, in jobs from before they were part of the settings; empty since.
    """

    kind = "sweep"

    settings: SweepSettings = SweepSettings()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class EditRequest(Request):
    """Compile the ticked facts.

    Args:
        settings: of the method, as JSON-ready data, because each method has its own.
        method: its key.
        onto: an earlier run to whose edit they are added; None for none.
        way: how, see `workbench.methods.onto`; empty for what the method does by itself.
    """

    kind = "edit"

    settings: dict[str, Any] = field(default_factory=dict)
    method: str = LOCFT_BF.key
    onto: int | None = None
    way: Literal["", "recompile", "continue"] = ""


@dataclass(frozen=True, slots=True)
class ResumeRequest(Request):
    """Let a run that ended early go on, or keep what it came to.

    Args:
        resume: the run.
        keep: whether it ends where it is, with its patch.
    """

    kind = "edit"

    resume: int
    keep: bool = False


@dataclass(frozen=True, slots=True)
class EvaluateRequest(Request):
    """Measure a run, or the base alone where `run` is None."""

    kind = "evaluate"

    run: int | None
    settings: EvaluationSettings = EvaluationSettings()


@dataclass(frozen=True, slots=True)
class StressRequest(Request):
    """Stress a run, or the base alone where `run` is None."""

    kind = "stress"

    run: int | None
    settings: StressSettings = StressSettings()


@dataclass(frozen=True, slots=True)
class StudyRequest(Request):
    """Study the ticked facts."""

    kind = "study"

    settings: StudySettings = StudySettings()


@dataclass(frozen=True, slots=True)
class ExportRequest(Request):
    """Write a run to a folder or a file, in the form that people run elsewhere.

    Args:
        run: which.
        folder: where to.
        settings: how.
        replaces: whether what is there already is replaced, once the new one is whole.
    """

    kind = "export"

    run: int
    folder: str
    settings: ExportSettings = ExportSettings()
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class ImportRequest(Request):
    """Read a file of facts.

    Args:
        path: the file, inside the folder of sessions.
        name: how people call it.
        columns: which column holds what; None to tell it from their names.
        ask: let a person say which column holds what before anything is read.
        replaces: an import that is undone before; None for none.
        encoding: of a file of text, where a person chose it; empty: told from its bytes.
    """

    kind = "import"

    path: str
    name: str
    columns: dict[str, str] | None = None
    ask: bool = False
    replaces: int | None = None
    encoding: str = ""


# Of two ways to ask for one kind, the first whose telling field is there is meant.
_KINDS: dict[JobKind, tuple[tuple[str, type[Request]], ...]] = {
    "load": (("", LoadRequest),),
    "ask": (("facts", FillRequest), ("talk", TalkRequest), ("", AskRequest)),
    "look": (("method", FirstBatchRequest), ("run", RippleRequest), ("", LookRequest)),
    "rephrase": (("", RephraseRequest),),
    "scan": (("", ScanRequest),),
    "sweep": (("", SweepRequest),),
    "edit": (("resume", ResumeRequest), ("", EditRequest)),
    "evaluate": (("", EvaluateRequest),),
    "stress": (("", StressRequest),),
    "study": (("", StudyRequest),),
    "export": (("", ExportRequest),),
    "import": (("", ImportRequest),),
}


def request_of(kind: JobKind, data: dict[str, Any]) -> Request:
    """The request that a job's params are.

    Args:
        kind: of the job.
        data: the params, as they came out of JSON.

    Raises:
        RecordError: they are none of this kind.
    """
    for telling, form in _KINDS.get(kind, ()):
        if not telling or telling in data:
            return from_data(form, data)
    raise RecordError(f"There is no kind of job '{kind}'.")


def edit_request(
    settings: SettingsRecord,
    method: str = LOCFT_BF.key,
    onto: int | None = None,
    way: Literal["", "recompile", "continue"] = "",
) -> EditRequest:
    """The request for a run with these settings of a method; see `EditRequest`."""
    return EditRequest(settings.as_dict(), method, onto, way)
