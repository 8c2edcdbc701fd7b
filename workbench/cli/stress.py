"""`workbench stress`: does an edit hold where nobody trained it, with a table and a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from workbench.actions import command_line
from workbench.cli.common import (
    Columns,
    Encoding,
    FactsPath,
    Json,
    PatchPath,
    load_base_and_patch,
    print_json,
    read_reported,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched_or_stopped
from workbench.facts.fact import facts_digest
from workbench.measure.report.pieces import share
from workbench.measure.report.stress import build_stress_report, write_stress_report
from workbench.measure.report.write import require_form
from workbench.measure.stress_result import Stress
from workbench.measure.stress_settings import StressSettings
from workbench.model.choice import ModelChoice

if TYPE_CHECKING:
    from workbench.model.patch import Patch

__all__ = ["stress"]


@command("stress")
def stress(
    file: FactsPath,
    settings: StressSettings,
    choice: ModelChoice,
    named: bool,
    patch: PatchPath = None,
    columns: Columns = None,
    encoding: Encoding = "",
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Also write a report: .html, .md or .json; repeatable."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Stresses a base or an edit."""
    for path in report or ():
        require_form(path)
    found = read_reported(file, columns, encoding)
    base, edit = load_base_and_patch(choice, named, patch)

    from workbench.search.stress import stressing

    done = watched_or_stopped(
        f"Stressing {base.name}",
        lambda stop: stressing(base, found.facts, edit, settings, stop=stop),
        "Stopped; nothing was kept.",
    )
    whole = build_stress_report(
        done.as_dict(),
        facts={"count": len(found.facts), "digest": facts_digest(found.facts), "file": file.name},
        command=command_line(
            "stress", settings, model=choice, facts=str(file), patch=str(patch or "")
        ),
        versions=_versions(),
        run=_run_of(edit),
    )
    for path in report or ():
        write_stress_report(whole, path)
    if as_json:
        print_json(whole["stress"])
        return
    _print(done)
    for path in report or ():
        say(f"The report is in {path}.")


def _run_of(edit: "Patch | None") -> dict[str, Any] | None:
    if edit is None:
        return None
    known = ("settings", "at", "created")
    return {name: edit.metadata[name] for name in known if name in edit.metadata}


def _versions() -> dict[str, str]:
    import torch
    import transformers

    return {"torch": torch.__version__, "transformers": transformers.__version__}


def _print(done: Stress) -> None:
    table = Table("asked as", *done.sides, "asked", box=None, pad_edge=False)
    for row in done.rows:
        shares = [share(row.on(side)) for side in done.sides]
        table.add_row(row.kind.label, *shares, f"{row.count:,}")
    screen().print(table)
    for sentence in done.sentences:
        say(visible(sentence))
