"""`workbench export`: an edit written where people run it, and what it holds there."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import (
    Json,
    load_base_and_patch,
    print_json,
    read_reported,
    require_new_folder,
    say,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched_or_stopped
from workbench.model.choice import ModelChoice
from workbench.ship.export_settings import ExportSettings
from workbench.ship.run_lines import run_lines
from workbench.ship.told import result_lines

__all__ = ["export"]


@command("export")
def export(
    patch: Annotated[Path, typer.Option("--patch", metavar="DIR", help="The folder of a patch.")],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="The new folder; of a GGUF file, the file."),
    ],
    settings: ExportSettings,
    choice: ModelChoice,
    named: bool,
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="FILE", help="The facts of the patch, which are asked."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Writes an edit."""
    require_new_folder(out)
    edited = read_reported(facts).facts if facts is not None else ()
    base, edit = load_base_and_patch(choice, named, patch)
    assert edit is not None

    from workbench.model.base_files import base_path
    from workbench.ship.export import shipping

    done = watched_or_stopped(
        f"Writing {out}",
        lambda stop: shipping(base, edit, out, edited, settings, stop),
        f"Stopped; {out} was not made.",
    )
    if as_json:
        said = {"model": base.name, "patch": str(patch), "folder": str(done.path)}
        print_json(said | done.as_dict())
    else:
        for line in result_lines(done):
            say(visible(line))
        rank = int(done.told.get("rank", 0))
        for line in run_lines(done.form, str(done.path), base_path(base), rank=rank):
            say(f"  {line}")
