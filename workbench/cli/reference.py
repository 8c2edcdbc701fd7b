"""The reference of all actions and methods as Markdown: `python -m workbench.cli.reference`.

Written from the tables alone, like everything else; a test compares `docs/reference.md` with it.
"""

from collections.abc import Iterable

from workbench.actions import ACTIONS, Action
from workbench.methods.base import METHODS
from workbench.model.choice import ModelChoice
from workbench.work.settings import Setting, settings_of

__all__ = ["reference"]


NO_FUNCTION = ("facts", "serve-model", "serve", "mcp")
"""Actions that `workbench` exports no function of the same name for."""


def reference() -> str:
    """Every action with its settings, then the methods, then the model."""
    parts = [
        "# Reference",
        "What can be done, and every setting of it. A setting has one name on the command line, in "
        "Python, in YAML files and in records; the page shows its label. Written by "
        "`python -m workbench.cli.reference`.",
        "## Actions",
    ]
    parts += [part for action in ACTIONS.values() for part in _action(action)]
    parts.append("## Methods")
    for method in METHODS.values():
        parts.append(f"### {method.name}")
        parts.append(f"`--method {method.key}`. {method.sentence} Source: {method.source}.")
        parts.append(_table(settings_of(method.settings)))
    parts += [
        "## The model",
        "Every action on a model takes these.",
        _table(settings_of(ModelChoice)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _action(action: Action) -> list[str]:
    python = "" if action.name in NO_FUNCTION else f" Python: `workbench.{action.name}`."
    parts = [f"### {action.name}", f"{action.sentence}{python}"]
    if action.name == "edit":
        return [*parts, "Its settings are those of the method, see below."]
    return [*parts, _table(settings_of(action.settings))]


def _table(settings: Iterable[Setting]) -> str:
    rows = [
        f"| {setting.label} | `{setting.name}` | `{_option(setting)}` | {_default(setting)} "
        f"| {setting.unit} | {_plain(setting.sentence)} |"
        for setting in settings
    ]
    if not rows:
        return ""
    head = "| label | name | option | default | unit | what it does |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows])


def _option(setting: Setting) -> str:
    return setting.name.upper() if setting.positional else setting.option


def _default(setting: Setting) -> str:
    if setting.is_flag:
        return "on" if setting.default else "off"
    written = setting.write(setting.default)
    return f"`{written}`" if written else setting.empty


def _plain(sentence: str) -> str:
    return sentence.replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
