"""What an action takes, as JSON schema, and what a program gave, as settings.

A schema is drawn from the settings' fields, so that a field that is added is here, too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.actions import ACTIONS, options_of, settings_class
from workbench.errors import RecordError, SettingsError
from workbench.measure.stress_settings import JUDGE
from workbench.methods.base import LOCFT_BF, METHODS
from workbench.work.records import from_data
from workbench.work.settings import Setting, SettingsRecord, settings_of

__all__ = ["OWN", "REMOTE", "body_schema", "read_settings"]

Schema = dict[str, Any]

_SESSION: Schema = {
    "type": "string",
    "description": "The session, by its id or its name; without it the one that was opened last.",
}
_RUN: Schema = {
    "type": ["integer", "null"],
    "description": "Which run; null for the base alone; without it the run that is shown.",
}
_FACT: Schema = {
    "type": "object",
    "description": "A fact, with the fields of a file of facts.",
    "properties": {
        "prompt": {"type": "string", "description": "The text that the model continues."},
        "target_new": {"type": "string", "description": "What it should answer."},
        "subject": {"type": "string", "description": "Whom or what the fact is about."},
        "rephrase_prompt": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Other ways to ask the same; never trained on.",
        },
        "locality_prompt": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Questions whose answers must stay.",
        },
    },
    "required": ["prompt", "target_new"],
}

OWN: dict[str, dict[str, Schema]] = {
    "facts": {"facts": {"type": "array", "items": _FACT, "minItems": 1}},
    "edit": {
        "method": {
            "type": "string",
            "enum": list(METHODS),
            "description": "Which method edits; without it locft-bf.",
        },
        "onto": {
            "type": "integer",
            "description": "An earlier run, to whose edit the ticked facts are added.",
        },
        "way": {
            "type": "string",
            "enum": ["recompile", "continue"],
            "description": "How they are added; without it as the method does by itself.",
        },
    },
    "probe": {
        "prompts": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "What is asked, before and after the run that is shown.",
        }
    },
    "evaluate": {"run": _RUN},
    "stress": {"run": _RUN},
    "export": {
        "run": {"type": "integer", "description": "Which run; without it the run that is shown."},
        "folder": {"type": "string", "description": "The new folder, or GGUF file, to write."},
    },
}
"""What an action takes besides its settings, by its name."""

_NEEDED = {"facts": ["facts"], "probe": ["prompts"], "export": ["folder"]}

REMOTE: tuple[str, ...] = ("facts", *(name for name, action in ACTIONS.items() if action.is_job))
"""The actions that a program may ask of a session, in the order of the work."""


OF_THIS_MACHINE: dict[str, tuple[str, ...]] = {
    "edit": ("text",),
    "stress": JUDGE,
    "export": ("push", "gguf"),
}
"""Settings by which files, tokens or variables of this machine are used, by the action's name.

Not for programs from elsewhere: whoever may use a workbench is not by that its owner.
"""


def body_schema(action: str, *, briefly: bool = False, afar: bool = False) -> Schema:
    """The schema of what is sent for an action.

    Args:
        action: its name.
        briefly: only the settings that most people need.
        afar: without those of this machine alone.
    """
    properties: Schema = {"session": _SESSION, **OWN.get(action, {})}
    left_out = OF_THIS_MACHINE.get(action, ()) if afar else ()
    if action == "export" and afar:
        properties["folder"] = {
            "type": "string",
            "description": "What to call it, in the run's folder.",
        }
    if action != "facts":
        settings = {
            found.name: _schema(found)
            for found in options_of(action)
            if not (briefly and found.advanced) and found.name not in left_out
        }
        properties["settings"] = {
            "type": "object",
            "description": "What is left out has its default.",
            "properties": settings,
            "additionalProperties": briefly,
        }
    return {
        "type": "object",
        "properties": properties,
        "required": _NEEDED.get(action, []),
        "additionalProperties": False,
    }


def _schema(setting: Setting) -> Schema:
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number"}
    one: Schema = {"type": kinds.get(setting.kind, "string")}
    if setting.choices:
        one["enum"] = list(setting.choices)
    if setting.own_parse is not None:
        found: Schema = {"type": "string"}
    elif setting.many:
        found = {"type": "array", "items": one}
    else:
        found = one
    if setting.optional:
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    told = f"{setting.sentence} ({setting.unit})" if setting.unit else setting.sentence
    found["description"] = told
    default = setting.default
    if setting.own_parse is not None:
        default = setting.write(default)
    if default not in (None, ""):
        plain = list(default) if isinstance(default, tuple) else default
        found["default"] = str(plain) if isinstance(plain, Path) else plain
    return found


def read_settings(action: str, given: object, method: str = LOCFT_BF.key) -> SettingsRecord:
    """Settings out of JSON.

    Args:
        action: whose they are.
        given: by name; what is left out has its default. What has a form of its own on the command
            line may be given as it is written there.
        method: of ``edit``.

    Raises:
        SettingsError: there is no such setting, or a value makes no sense.
    """
    if not isinstance(given, Mapping):
        raise SettingsError("settings must be an object of settings by their names.")
    kind = settings_class(action, method)
    known = {found.name: found for found in settings_of(kind)}
    unknown = sorted(set(map(str, given)) - set(known))
    if unknown:
        raise SettingsError(
            f"{action} has no setting {', '.join(unknown)}. It has: {', '.join(known)}."
        )
    read = {
        name: known[name].own_parse(value)  # type: ignore[misc]
        if known[name].own_parse is not None and isinstance(value, str)
        else value
        for name, value in given.items()
    }
    try:
        return from_data(kind, kind(**_tuples(read)).as_dict())
    except RecordError as error:
        raise SettingsError(f"settings of {action}: {error}") from None
    except (AttributeError, TypeError):
        raise SettingsError(f"A value in the settings of {action} is of another type.") from None


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
