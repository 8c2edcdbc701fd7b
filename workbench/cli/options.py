"""Commands whose options come from the table of actions.

A command is a function with what is its own (files, ``--json``); the options of the action's
settings and of its model are put between, from the settings' fields alone. The function is called
with the settings, checked, and never sees an option.
"""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.actions import ACTIONS, options_of, settings_class
from workbench.cli.sharing import require_alone
from workbench.errors import SettingsError
from workbench.methods.base import LOCFT_BF, METHODS
from workbench.model.choice import ModelChoice
from workbench.work.settings import Setting, SettingsRecord, settings_of

__all__ = ["command", "with_options"]

PREFIX = "set_"
MODEL_PREFIX = "model_"
OWN = ("settings", "choice", "named", "method")


def command(action: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a function as what does an action's command; see `with_options`.

    The function may take ``settings``, ``choice`` (the model), ``named`` (whether somebody named
    one) and ``method``; all its other parameters are options of its own.

    Args:
        action: its name in the table.
    """

    def marked(function: Callable[..., None]) -> Callable[..., None]:
        function.action = action  # type: ignore[attr-defined]
        return function

    return marked


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """The command with the options that the tables of actions and methods have by now.

    Args:
        function: marked by `command`.
    """
    action: str = function.action  # type: ignore[attr-defined]
    own = inspect.signature(function, eval_str=True).parameters
    wants = {name for name in OWN if name in own}

    def run(**given: Any) -> None:
        if action != "edit":
            require_alone(f"'workbench {action}'")
        values, choice = _taken(given, PREFIX), _taken(given, MODEL_PREFIX)
        file, method = given.pop("settings_file", None), given.pop("method", LOCFT_BF.key)
        if "settings" in wants:
            given["settings"] = _settings(action, method, values, file)
        if "choice" in wants:
            given["choice"] = ModelChoice(**_said(ModelChoice, choice))
        if "named" in wants:
            given["named"] = choice.get("name") is not None
        if "method" in wants:
            given["method"] = method
        function(**given)

    parameters = _parameters(action, own, wants)
    run.__name__, run.__doc__ = action, ACTIONS[action].sentence
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _parameters(action: str, own: Any, wants: set[str]) -> list[inspect.Parameter]:
    """First words of their own, then the settings, then the model, then the command's options."""
    mine = [p for name, p in own.items() if name not in OWN]
    words = [p for p in mine if _is_word(p)]
    settings = options_of(action) if "settings" in wants else ()
    first = [_parameter(PREFIX, s) for s in settings if s.positional]
    middle = [_parameter(PREFIX, s) for s in settings if not s.positional]
    if "method" in wants:
        middle.insert(0, _method_parameter())
    if settings and ACTIONS[action].is_job:
        middle.append(_file_parameter())
    if "choice" in wants:
        # A plan asks for memory itself, and for no model in it.
        taken = {one.option for one in settings}
        of_model = [s for s in settings_of(ModelChoice) if s.option not in taken]
        middle += [_parameter(MODEL_PREFIX, s) for s in of_model]
    rest = [p for p in mine if not _is_word(p)]
    found = [*first, *words, *middle, *rest]
    return [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in found]


def _is_word(parameter: inspect.Parameter) -> bool:
    told = getattr(parameter.annotation, "__metadata__", ())
    return any(isinstance(info, typer.models.ArgumentInfo) for info in told)


def _parameter(prefix: str, setting: Setting) -> inspect.Parameter:
    """An option, or a word of its own, for one setting; None means that nobody gave it."""
    kind: Any = setting.kind
    if setting.own_parse is not None:
        kind = str
    elif setting.many:
        kind = list[kind]
    if setting.positional:
        info = typer.Argument(help=setting.sentence, metavar="|".join(setting.choices) or None)
        return _keyword(prefix + setting.name, Annotated[kind, info], inspect.Parameter.empty)
    names = [setting.option]
    if setting.is_flag:
        names = [f"{setting.option}/--no-{setting.option.removeprefix('--')}"]
    shown = setting.metavar or "|".join(setting.choices)
    if setting.many and not shown:
        shown = f"<{setting.kind.__name__}>"
    option = typer.Option(*names, help=_help(setting), metavar=shown or None)
    return _keyword(prefix + setting.name, Annotated[kind | None, option], None)


def _help(setting: Setting) -> str:
    """The sentence, with the default where the sentence does not speak of empty."""
    default = setting.default
    if setting.is_flag or default in (None, (), "") or "empty" in setting.sentence:
        return setting.sentence
    return f"{setting.sentence} Default: {setting.write(default)}."


def _method_parameter() -> inspect.Parameter:
    sentences = " ".join(f"{method.key}: {method.sentence}" for method in METHODS.values())
    option = typer.Option("--method", help=f"Which method. {sentences}")
    return _keyword("method", Annotated[str, option], LOCFT_BF.key)


def _file_parameter() -> inspect.Parameter:
    option = typer.Option(
        "--settings", metavar="YAML", help="A file of settings; options go first."
    )
    return _keyword("settings_file", Annotated[Path | None, option], None)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _taken(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The options with a prefix, which leave the others."""
    names = [name for name in given if name.startswith(prefix)]
    return {name.removeprefix(prefix): given.pop(name) for name in names}


def _said(kind: type[SettingsRecord], given: dict[str, Any]) -> dict[str, Any]:
    """What was given of some settings, as their values."""
    found = {setting.name: setting for setting in settings_of(kind)}
    return {
        name: _value(found[name], value)
        for name, value in given.items()
        if value is not None and value != []
    }


def _value(setting: Setting, value: Any) -> Any:
    if setting.own_parse is not None:
        return setting.own_parse(value)
    if not setting.many:
        return value
    if setting.kind is str:
        return tuple(_parts(value))
    return tuple(value)


def _parts(texts: Iterable[str]) -> list[str]:
    """Names that may stand between commas."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _settings(action: str, method: str, given: dict[str, Any], file: Path | None) -> SettingsRecord:
    """The settings of a call: those of the file, with what was given over them.

    Raises:
        SettingsError: one makes no sense, or is no setting of the method.
    """
    kind = settings_class(action, method)
    known = {setting.name for setting in settings_of(kind)}
    foreign = [
        setting.option
        for setting in options_of(action)
        if setting.name not in known and given.get(setting.name) not in (None, [])
    ]
    if foreign:
        raise SettingsError(f"{', '.join(foreign)} is no setting of the method {method}.")
    mine = {name: value for name, value in given.items() if name in known}
    basis = (kind.from_yaml(file) if file is not None else kind()).as_dict()
    return kind.from_dict(basis | _said(kind, mine))
