"""`workbench export`: an edit written where people run it, and what it holds there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.common import (
    STOPPED,
    Json,
    load_base_and_patch,
    notes,
    print_json,
    read_reported,
    require_new_folder,
    say,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.model.choice import ModelChoice
from workbench.ship.export_settings import ExportSettings
from workbench.ship.run_lines import run_lines
from workbench.work.stop import Cancelled, Stop
from workbench.work.words import size

if TYPE_CHECKING:
    from workbench.ship.result import ExportResult

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

    from workbench.ship.export import shipping

    stop = Stop()
    try:
        work = shipping(base, edit, out, edited, settings, stop)
        done = watched(f"Writing {out}", work, stop)
    except Cancelled:
        notes().print(f"Stopped; {out} was not made.", markup=False, soft_wrap=True)
        raise typer.Exit(STOPPED) from None
    if as_json:
        said = {"model": base.name, "patch": str(patch), "folder": str(done.path)}
        print_json(said | done.as_dict())
    else:
        _print(done, str(done.told.get("base", base.name)))


def _print(done: "ExportResult", base: str) -> None:
    what = {
        "full": f"The edited model is in {done.path}",
        "gguf": f"The edited model is in {done.path}",
        "adapter": f"The adapter is in {done.path}",
        "delta": f"The differences are in {done.path}",
    }[done.form]
    told = ", ".join(
        f"{name} {done.told[name]}" for name in ("type", "rank", "dtype") if name in done.told
    )
    say(f"{what} ({size(done.bytes)}{', ' + told if told else ''}).")
    if done.checked:
        say(
            f"Loaded again, it gave the answers of the edited model to all {done.checked} prompts "
            "that it was asked."
        )
    if done.facts is not None:
        say(
            f"Edited facts right ({done.runtime or 'in memory'}, strict): {done.facts.before} of "
            f"{done.facts.asked} before, {done.facts.after} after; the patch holds {done.held}."
        )
    if done.others is not None:
        say(
            f"Other questions right ({done.runtime}): {done.others.before} of {done.others.asked} "
            f"before, {done.others.after} after."
        )
    for note in done.notes:
        say(visible(note))
    if done.pushed:
        say(f"Uploaded to {done.pushed}")
    for line in run_lines(done.form, str(done.path), base, rank=int(done.told.get("rank", 0))):
        say(f"  {line}")
