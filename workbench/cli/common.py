"""What several commands share: options about models, and where output goes."""

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from workbench.errors import FactsError, PatchError
from workbench.facts import FactFile, read_facts
from workbench.facts.columns import FIELDS

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel
    from workbench.model.patch import Patch

__all__ = [
    "Columns",
    "Device",
    "Dtype",
    "FactsPath",
    "Json",
    "Model",
    "PatchPath",
    "Trust",
    "load",
    "load_base_and_patch",
    "mapping",
    "notes",
    "print_json",
    "read_reported",
    "require_new_folder",
    "say",
    "screen",
    "visible",
]

FactsPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Facts as CSV, TSV, JSON, JSON lines, Excel or Parquet; also .gz, .zip.",
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
Model = Annotated[
    str | None,
    typer.Option(
        "--model", help="builtin, a hub id, or a folder; empty: the patch's base, else builtin."
    ),
]
PatchPath = Annotated[
    Path | None, typer.Option("--patch", metavar="DIR", help="The folder of a patch.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1 or mps; empty: the best there is.")
]
Dtype = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        help="float32, bfloat16 or float16; empty: the checkpoint's on CUDA, else float32.",
    ),
]
Trust = Annotated[
    bool, typer.Option("--trust-remote-code", help="Let code that comes with the model run.")
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


def read_reported(file: Path, columns: list[str] | None = None) -> FactFile:
    """Reads facts for a command, and says on standard error when something is wrong with them.

    Args:
        file: the file.
        columns: what ``--map`` says.

    Raises:
        FactsError: the file cannot be read, or holds no fact.
    """
    found = read_facts(file, mapping(columns))
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if not found.facts:
        first = f" Row {errors[0].row}: {errors[0].what}" if errors else ""
        raise FactsError(f"There is no fact in '{file}' that can be used.{first}")
    if found.problems:
        notes().print(
            f"{found.rejected} rows of {file} left out, {len(found.problems) - len(errors)} "
            f"warnings; 'workbench facts {shlex.quote(str(file))}' lists them.",
            markup=False,
            soft_wrap=True,
        )
    return found


def print_json(value: Any) -> None:
    """Prints one JSON value to standard output."""
    print(json.dumps(value, ensure_ascii=False))


def load(name: str | None, device: str | None, dtype: str | None, trust: bool) -> "LanguageModel":
    """Loads a model for a command, and says so.

    Raises:
        ModelError: see `load_model`.
    """
    from workbench.model.load import load_model

    with notes().status(f"Loading {name or 'builtin'}"):
        model = load_model(name or "builtin", device=device, dtype=dtype, trust_remote_code=trust)
    if model.fallback:
        notes().print(f"Hidden states cannot be kept, so runs take longer: {model.fallback}.")
    return model


def load_base_and_patch(
    name: str | None, folder: Path | None, device: str | None, dtype: str | None, trust: bool
) -> "tuple[LanguageModel, Patch | None]":
    """Loads a patch, and the model that is named, else the patch's own base.

    Raises:
        PatchError: there is no such patch, or it belongs to another base.
        ModelError: see `load_model`.
    """
    from workbench.model.patch import Patch

    patch = Patch.load(folder) if folder is not None else None
    if name is None and patch is not None:
        name = patch.metadata["base"]["name"]
    model = load(name, device, dtype, trust)
    if patch is not None:
        patch.check(model)
    return model, patch
