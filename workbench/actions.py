"""What can be done with the workbench: one table of actions.

An action is its settings, what it needs, its Python function and the kind of job that does it in a
session. The command line's options, the page's forms, the command that does the same, the YAML
files, the Python functions' arguments and `docs/reference.md` are drawn from here. Knows
nothing about how any of these look, and imports nothing heavy.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from workbench.facts.settings import FactsSettings
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.probe_settings import ProbeSettings
from workbench.measure.stress_settings import StressSettings
from workbench.methods.base import LOCFT_BF, METHODS, find_method
from workbench.methods.plan_settings import PlanSettings
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.model.choice import ModelChoice
from workbench.search.scan_settings import ScanSettings
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_settings import SweepSettings
from workbench.ship.export_settings import ExportSettings
from workbench.ship.serve_settings import ServeModelSettings
from workbench.ship.verify_settings import VerifySettings
from workbench.work.settings import Setting, SettingsRecord, setting, settings_of

__all__ = [
    "ACTIONS",
    "Action",
    "Need",
    "command_line",
    "options_of",
    "settings_class",
]

Need = Literal["facts", "model", "patch", "prompts"]
"""What an action works on: a file of facts, a model, a patch where there is one, prompts."""


@dataclass(frozen=True, slots=True)
class ServeSettings(SettingsRecord):
    """Where the page is served."""

    host: str = setting(
        "127.0.0.1",
        "The address to listen on; 127.0.0.1 is this machine only, any other needs a token.",
    )
    port: int | None = setting(None, "The port; empty: 7860, or the next free one.")
    sessions: Path | None = setting(None, "Where sessions are kept.", metavar="DIR")
    browser: bool = setting(True, "Open the page in a browser.")
    token: str = setting(
        "",
        "What the page's address must end with (?token=…); empty: none on this machine alone, "
        "a new one where others can reach it.",
        empty="none, or a new one",
    )
    root_path: str = setting(
        "",
        "Where a reverse proxy shows the page: a path such as /wb, or the whole address; empty: "
        "what the proxy says.",
        metavar="PATH",
        empty="none",
    )


@dataclass(frozen=True, slots=True)
class McpSettings(SettingsRecord):
    """Which sessions an agent may use."""

    sessions: Path | None = setting(None, "Where sessions are kept.", metavar="DIR")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Args:
        name: of the command, the Python function, and the kind of job.
        sentence: what it does, in one line.
        settings: how; of ``edit``, those of the default method.
        needs: what it works on.
        python: the function, as ``module:name``.
        is_job: whether a session's worker does it.
        on_page: whether the page has a form of its settings.
    """

    name: str
    sentence: str
    settings: type[SettingsRecord]
    needs: tuple[Need, ...]
    python: str
    is_job: bool = True
    on_page: bool = True

    @property
    def function(self) -> Any:
        """The Python function that does it."""
        module, _, name = self.python.partition(":")
        return getattr(import_module(module), name)


_TABLE = (
    Action(
        "facts",
        "Read a file of facts; print its format, its facts and its problems by row.",
        FactsSettings,
        ("facts",),
        "workbench.facts.read:read_facts",
        is_job=False,
        on_page=False,
    ),
    Action(
        "plan",
        "Say what a run would take and where it would fit, by a model's config alone.",
        PlanSettings,
        ("model",),
        "workbench.api:plan",
        is_job=False,
        on_page=False,
    ),
    Action(
        "rephrase",
        "Have a model write facts' prompts in other words, and check which mean the same.",
        RephraseSettings,
        ("facts", "model"),
        "workbench.api:rephrase",
        on_page=False,
    ),
    Action(
        "scan",
        "Show, in seconds, which matrices the facts pull at, and what else that would move.",
        ScanSettings,
        ("facts", "model"),
        "workbench.api:scan",
    ),
    Action(
        "sweep",
        "Try a short edit at each location, score it on what is held out, and recommend one.",
        SweepSettings,
        ("facts", "model"),
        "workbench.api:sweep",
    ),
    Action(
        "edit",
        "Compile the facts of a file into a patch of a model.",
        LOCFT_BF.settings,
        ("facts", "model"),
        "workbench.api:edit",
    ),
    Action(
        "probe",
        "Ask a model before and, with --patch, after an edit.",
        ProbeSettings,
        ("prompts", "model", "patch"),
        "workbench.api:probe",
    ),
    Action(
        "evaluate",
        "Measure reliability, generalization, locality, portability and more, before and after.",
        EvaluationSettings,
        ("facts", "model", "patch"),
        "workbench.api:evaluate",
    ),
    Action(
        "stress",
        "Ask for the facts as nobody trained them: freely, as true or false, in reverse, later.",
        StressSettings,
        ("facts", "model", "patch"),
        "workbench.api:stress",
    ),
    Action(
        "study",
        "Compare pipelines, numbers of facts, places, or methods, with the same budget for each.",
        StudySettings,
        ("facts", "model"),
        "workbench.api:study",
    ),
    Action(
        "export",
        "Write the edit where people run it: as a full model, GGUF file, adapter or task vector.",
        ExportSettings,
        ("model", "patch"),
        "workbench.api:export",
        on_page=False,
    ),
    Action(
        "verify",
        "Ask a folder, a GGUF file, an adapter or an endpoint which facts hold there.",
        VerifySettings,
        ("facts",),
        "workbench.api:verify",
        is_job=False,
        on_page=False,
    ),
    Action(
        "serve-model",
        "Serve a base and its edits as an OpenAI-compatible endpoint.",
        ServeModelSettings,
        ("model", "patch"),
        "workbench.serving.server:serve_model",
        is_job=False,
        on_page=False,
    ),
    Action(
        "serve",
        "Open the workbench in a browser.",
        ServeSettings,
        (),
        "workbench.page.server:serve",
        is_job=False,
        on_page=False,
    ),
    Action(
        "mcp",
        "Let an agent use sessions: tools of the Model Context Protocol on standard input.",
        McpSettings,
        (),
        "workbench.remote.mcp:converse",
        is_job=False,
        on_page=False,
    ),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _TABLE}
"""Every action by its name, in the order of the work."""


def settings_class(action: str, method: str = LOCFT_BF.key) -> type[SettingsRecord]:
    """The settings of an action; those of ``edit`` depend on the method.

    Raises:
        SettingsError: there is no such method.
    """
    return find_method(method).settings if action == "edit" else ACTIONS[action].settings


def options_of(action: str) -> tuple[Setting, ...]:
    """Every setting that the command of an action has an option for.

    The command ``edit`` has those of all methods, each once.
    """
    if action != "edit":
        return settings_of(ACTIONS[action].settings)
    found: dict[str, Setting] = {}
    for method in METHODS.values():
        for one in settings_of(method.settings):
            found.setdefault(one.name, one)
    return tuple(found.values())


def command_line(
    action: str,
    settings: SettingsRecord,
    *,
    model: ModelChoice | None = None,
    facts: str = "facts.csv",
    prompts: Sequence[str] = (),
    patch: str = "",
    method: str = LOCFT_BF.key,
    more: Sequence[str] = (),
) -> str:
    """The command that does the same, as a person would type it.

    Args:
        action: its name.
        settings: only what differs from the defaults is written.
        model: the model and where it runs; None for what the command takes by itself.
        facts: name of the file of facts, where the action needs one.
        prompts: what is asked, where the action asks.
        patch: the folder of the patch; empty for none.
        method: of ``edit``.
        more: further words for its end.
    """
    needs = ACTIONS[action].needs
    words = ["workbench", action]
    words += [
        str(getattr(settings, found.name))
        for found in settings_of(type(settings))
        if found.positional
    ]
    words += [facts] if "facts" in needs else []
    words += list(prompts) if "prompts" in needs else []
    words += ["--patch", patch] if patch else []
    words += ["--method", method] if action == "edit" and method != LOCFT_BF.key else []
    words += settings.words()
    if model is not None and any(found.name == "memory" for found in settings_of(type(settings))):
        model = replace(model, memory=None)  # a plan asks for memory itself
    words += model.words() if model is not None and "model" in needs else []
    return shlex.join([*words, *more])
