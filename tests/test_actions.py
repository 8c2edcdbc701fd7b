"""The table of actions: what it says is what commands, forms, Python and the reference have."""

import inspect
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench
from tests.cli.conftest import run_command
from tests.page.test_form import values_of
from workbench.actions import ACTIONS, command_line, options_of
from workbench.cli.options import command, with_options
from workbench.cli.reference import reference
from workbench.facts import Fact
from workbench.measure.stress_settings import JUDGE
from workbench.methods.base import METHODS
from workbench.model.choice import ModelChoice
from workbench.model.language_model import LanguageModel
from workbench.search.scan_settings import ScanSettings
from workbench.search.sweep_settings import TRAINED
from workbench.work.settings import SettingsRecord, setting, settings_of

ROOT = Path(__file__).resolve().parents[1]
WORDS_OF_THEIR_OWN = ("facts", "export", "verify", "serve-model", "serve", "mcp")
"""Actions whose command is not made of a model, facts and settings alone."""
Taken = dict[str, Any]


def reader(action: str) -> Callable[[Sequence[str]], Taken]:
    """What reads the words of an action's command, as the command itself would."""
    taken: Taken = {}

    @command(action)
    def take(
        settings: Any,
        choice: Any,
        method: str,
        words: Annotated[list[str] | None, typer.Argument()] = None,
        patch: Annotated[str, typer.Option("--patch")] = "",
        out: Annotated[str, typer.Option("--out")] = "",
    ) -> None:
        taken.update(settings=settings, choice=choice, words=words, patch=patch, out=out)

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(with_options(take))

    def read(words: Sequence[str]) -> Taken:
        taken.clear()
        app(args=list(words), standalone_mode=False)
        return dict(taken)

    return read


def records_of(kind: type[SettingsRecord]) -> st.SearchStrategy[Any]:
    """Settings with some fields set; what makes no sense together is left out."""
    fields = st.fixed_dictionaries(
        {}, optional={found.name: values_of(kind, found) for found in settings_of(kind)}
    )
    return fields.map(kind.from_dict)


@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in WORDS_OF_THEIR_OWN])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_command_that_was_written_is_read_as_the_same_settings(
    action: str, data: st.DataObject
) -> None:
    wanted = data.draw(records_of(ACTIONS[action].settings))
    choice = data.draw(records_of(ModelChoice))
    more = ("--out", "a folder") if action == "edit" else ()
    line = command_line(action, wanted, model=choice, facts="my facts.csv", more=more)
    program, name, *words = shlex.split(line)
    assert (program, name) == ("workbench", action)
    taken = reader(action)(words)
    assert taken["settings"] == wanted
    # A plan asks for memory itself, so that its model names none.
    assert taken["choice"] == (replace(choice, memory=None) if action == "plan" else choice)
    assert taken["words"] == (["my facts.csv"] if "facts" in ACTIONS[action].needs else None)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_setting_is_an_option_of_the_command(action: str) -> None:
    said = " ".join(run_command(action, "--help").out.split())
    for found in options_of(action):
        assert ("|".join(found.choices) if found.positional else found.option) in said
    if "model" in ACTIONS[action].needs:
        for found in settings_of(ModelChoice):
            assert found.option in said


@pytest.mark.parametrize(
    "action", [a for a in ACTIONS if a not in ("facts", "serve-model", "serve", "mcp")]
)
def test_every_setting_is_taken_in_python(action: str) -> None:
    function = getattr(workbench, action)
    assert function is ACTIONS[action].function
    parameters = inspect.signature(function).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for found in settings_of(ACTIONS[action].settings):
        assert takes_all or found.name in parameters


def test_the_reference_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == reference()


@dataclass(frozen=True, slots=True)
class Wider(ScanSettings):
    """A scan with one more setting, as somebody might add it."""

    colour: str = setting("red", "Which colour.", label="Colour of the scan")


def test_an_added_setting_is_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: LanguageModel
) -> None:
    monkeypatch.setitem(ACTIONS, "scan", replace(ACTIONS["scan"], settings=Wider))
    assert "--colour" in run_command("scan", "--help").out
    assert command_line("scan", Wider(colour="blue")) == ("workbench scan facts.csv --colour blue")
    assert reader("scan")(["facts.csv", "--colour", "blue"])["settings"] == Wider(colour="blue")
    assert "| Colour of the scan | `colour` | `--colour` | `red` |" in reference()
    path = tmp_path / "scan.yaml"
    path.write_text(Wider(colour="green").to_yaml(), encoding="utf-8")
    assert Wider.from_yaml(path).colour == "green"
    found = workbench.scan(model, [Fact("Rome is in", "Spain")], colour="blue")
    assert found.sample == 1
    assert "Colour of the scan" in labels_of_the_page(tmp_path / "sessions")


def labels_of_the_page(folder: Path) -> set[str]:
    """The labels of all fields of the page."""
    from tests.page.test_form import made
    from workbench.page.app import build
    from workbench.store import Library

    blocks = made(lambda: build(Library(folder)))
    return {str(getattr(block, "label", "")) for block in blocks.blocks.values()}


def test_every_setting_that_the_page_can_set_has_a_field(tmp_path: Path) -> None:
    there = labels_of_the_page(tmp_path)
    # These are chosen elsewhere than in a form: on the plot, by a segment of buttons, by ticks.
    elsewhere = {("edit", "at"), ("study", "kind"), ("edit", "recipe"), ("edit", "kept")}
    # A judge is named on the command line alone, see `workbench.page.evaluate.stress_card`.
    elsewhere |= {("stress", name) for name in JUDGE}
    elsewhere |= {("sweep", name) for name in TRAINED}
    # A file on the workbench's machine, see `workbench.page.edit.tab`.
    elsewhere.add(("edit", "text"))
    for action in ACTIONS.values():
        for found in settings_of(action.settings) if action.on_page else ():
            assert found.label in there or (action.name, found.name) in elsewhere
    for method in METHODS.values():
        for found in settings_of(method.settings):
            assert found.label in there or ("edit", found.name) in elsewhere
