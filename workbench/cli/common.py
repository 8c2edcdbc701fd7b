"""What several commands share: options about models, and where output goes."""

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from workbench.errors import FactsError, PatchError
from workbench.facts import FactFile, read_facts
from workbench.facts.columns import FIELDS
from workbench.facts.settings import FactsSettings
from workbench.model.choice import ModelChoice
from workbench.work.settings import settings_of

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel
    from workbench.model.patch import Patch

__all__ = [
    "STOPPED",
    "Columns",
    "Encoding",
    "FactsPath",
    "Json",
    "PatchPath",
    "PlotPath",
    "choice_for",
    "exit_stopped",
    "load",
    "load_base_and_patch",
    "mapping",
    "notes",
    "preset_record",
    "print_json",
    "read_reported",
    "require_new_folder",
    "require_writable",
    "say",
    "screen",
    "visible",
]

STOPPED = 130
"""The exit code of a command that was stopped by Ctrl-C."""

FactsPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Facts as CSV, TSV, JSON, JSON lines, YAML, Excel, OpenDocument, Parquet or Arrow; "
        "also .gz, .zip.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help=f"Which column holds what, may be given often. Fields: {', '.join(FIELDS.values())}.",
    ),
]
_ENCODING = next(found for found in settings_of(FactsSettings) if found.name == "encoding")
Encoding = Annotated[
    str,
    typer.Option(_ENCODING.option, metavar=_ENCODING.metavar, help=_ENCODING.sentence),
]
PatchPath = Annotated[
    Path | None, typer.Option("--patch", metavar="DIR", help="The folder of a patch.")
]
PlotPath = Annotated[
    Path | None,
    typer.Option("--plot", metavar="HTML", help="Also write a plot, as one file for a browser."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON value to standard output, nothing else.")
]


def screen() -> Console:
    """Where results go."""
    return Console(highlight=False)


def notes() -> Console:
    """Where progress and remarks go, so that results can be piped."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Prints a line of a result, unwrapped, so that paths and commands can be copied."""
    screen().print(text, markup=False, soft_wrap=True)


def require_new_folder(out: Path) -> None:
    """Makes sure, before any work is done, that a result can be written.

    Raises:
        PatchError: the folder is in use, or lies where nothing can be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PatchError(f"'{out}' exists already. Choose another --out, or remove it first.")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise PatchError(f"Nothing can be written in '{nearest}'. Choose another --out.")


def visible(text: str) -> str:
    """Text of unknown origin for a terminal: what does not print, such as ESC, is spelled out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def mapping(pairs: list[str] | None) -> dict[str, str]:
    """What ``--map`` says.

    Raises:
        FactsError: a pair has no equals sign.
    """
    said = {}
    for pair in pairs or ():
        field, equals, column = pair.partition("=")
        if not equals:
            raise FactsError(f"--map '{visible(pair)}' should be FIELD=COLUMN, such as prompt=Q.")
        said[field.strip()] = column.strip()
    return said


def read_reported(file: Path, columns: list[str] | None = None, encoding: str = "") -> FactFile:
    """Reads facts for a command, and says on standard error when something is wrong with them.

    Args:
        file: the file.
        columns: what ``--map`` says.
        encoding: what ``--encoding`` says.

    Raises:
        FactsError: the file cannot be read, or holds no fact.
    """
    found = read_facts(file, mapping(columns), encoding=encoding)
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if not found.facts:
        first = f" Row {errors[0].row}: {errors[0].what}" if errors else ""
        raise FactsError(f"There is no fact in '{file}' that can be used.{first}")
    if found.problems:
        more = f" --encoding {shlex.quote(encoding)}" if encoding else ""
        for problem in found.problems:
            if problem.kind == "encoding":
                notes().print(visible(f"{problem.what} --encoding names another."), markup=False)
        notes().print(
            f"{found.rejected} rows of {file} left out, {len(found.problems) - len(errors)} "
            f"warnings; 'workbench facts {shlex.quote(str(file))}{more}' lists them.",
            markup=False,
            soft_wrap=True,
        )
    return found


def print_json(value: Any) -> None:
    """Prints one JSON value to standard output."""
    print(json.dumps(value, ensure_ascii=False))


def require_writable(plot: Path | None) -> None:
    """Makes sure, before any work is done, that a plot can be written.

    Raises:
        PatchError: its folder is not there, or a folder has its name.
    """
    if plot is not None and (plot.is_dir() or not plot.absolute().parent.is_dir()):
        raise PatchError(f"'{plot}' cannot be written. Name a file in a folder that exists.")


def preset_record(base: "LanguageModel") -> dict[str, Any]:
    """Where a model's preset tunes and where that comes from, as JSON-ready data."""
    preset = base.preset
    return {
        "at": list(preset.at),
        "source": preset.source,
        "is_guess": preset.is_guess,
        "standing": preset.standing,
    }


def exit_stopped(done: int, trials: int, out: Path | None) -> NoReturn:
    """Says how far work in trials came and how to go on, and ends the command.

    Args:
        done: trials that were made.
        trials: how many there are; 0 where nobody knows.
        out: where they are kept.
    """
    how = f"The same command goes on from {out}." if out else "With --out it could go on."
    come = f"{done} of {trials} trials" if trials else f"{done} trials"
    notes().print(f"Stopped after {come}. {how}", markup=False, soft_wrap=True)
    raise typer.Exit(STOPPED)


def load(choice: ModelChoice) -> "LanguageModel":
    """Loads a model for a command, and says so.

    Raises:
        ModelError: see `load_model`.
    """
    from workbench.model.load import load_model

    with notes().status(f"Loading {choice.name}"):
        model = load_model(
            choice.name,
            device=choice.device,
            dtype=choice.dtype,
            trust_remote_code=choice.trust_remote_code,
            memory=choice.memory,
        )
    if told := model.placement.told():
        notes().print(f"{told}.", markup=False, soft_wrap=True)
    if model.origin:
        notes().print(f"Its weights are from {model.origin}.")
    for notice in model.notices:
        notes().print(notice, markup=False, soft_wrap=True)
    if model.fallback:
        notes().print(f"Hidden states cannot be kept, so runs take longer: {model.fallback}.")
    if model.answering.fallback:
        said = model.answering.fallback
        notes().print(f"{said[0].upper()}{said[1:]}.")
    return model


def choice_for(choice: ModelChoice, named: bool, patch: "Patch | None") -> ModelChoice:
    """The model that is named, else the patch's own base, else the usual one.

    Args:
        choice: the model.
        named: whether somebody named it.
        patch: None for none.
    """
    if named or patch is None:
        return choice
    return replace(choice, name=str(patch.metadata["base"]["name"]))


def load_base_and_patch(
    choice: ModelChoice, named: bool, folder: Path | None
) -> "tuple[LanguageModel, Patch | None]":
    """Loads a patch, and the model that is named, else the patch's own base.

    Args:
        choice: the model.
        named: whether somebody named it.
        folder: the patch; None for none.

    Raises:
        PatchError: there is no such patch, or it belongs to another base.
        ModelError: see `load_model`.
    """
    from workbench.model.patch import Patch

    patch = Patch.load(folder) if folder is not None else None
    model = load(choice_for(choice, named, patch))
    if patch is not None:
        patch.check(model)
    return model, patch
