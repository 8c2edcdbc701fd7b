"""`workbench evaluate`: did an edit work, what did it break, and a report to hand on."""

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
from workbench.cli.terminal import watched
from workbench.facts.fact import facts_digest
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.figures import figure_rows
from workbench.measure.report.contents import build_report, numbers_of, protocols_of
from workbench.measure.report.write import require_form, write_report
from workbench.model.choice import ModelChoice

if TYPE_CHECKING:
    from workbench.measure.protocols import Measured
    from workbench.model.patch import Patch

__all__ = ["evaluate"]

SHOWN = 5


@command("evaluate")
def evaluate(
    file: FactsPath,
    settings: EvaluationSettings,
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
    """Measures a base or an edit."""
    for path in report or ():
        require_form(path)
    found = read_reported(file, columns, encoding)
    base, edit = load_base_and_patch(choice, named, patch)

    from workbench.measure.measuring import measuring

    parts = watched("Measuring", measuring(base, found.facts, edit, settings)).parts()
    whole = build_report(
        evaluation=parts["evaluation"],
        health=parts.get("health"),
        capability=parts.get("capability"),
        facts={
            "count": len(found.facts),
            "digest": facts_digest(found.facts),
            "file": file.name,
        },
        model=base.name,
        run=_run_of(edit),
        versions=_versions(edit),
        command=command_line(
            "evaluate",
            settings,
            model=choice,
            facts=str(file),
            patch=str(patch or ""),
        ),
    )
    for path in report or ():
        write_report(whole, path)
    if as_json:
        print_json({**parts["evaluation"], **{k: v for k, v in parts.items() if k != "evaluation"}})
        return
    _print(parts)
    for path in report or ():
        say(f"The report is in {path}.")


def _run_of(edit: "Patch | None") -> dict[str, Any] | None:
    if edit is None:
        return None
    known = ("settings", "created")
    return {name: edit.metadata[name] for name in known if name in edit.metadata}


def _versions(edit: "Patch | None") -> dict[str, str]:
    import torch
    import transformers

    found = {"torch": torch.__version__, "transformers": transformers.__version__}
    if edit is not None:
        made = edit.metadata.get("versions", {})
        found |= {f"{name} of the patch": str(version) for name, version in made.items()}
    return found


def _print(parts: dict[str, Any]) -> None:
    evaluation = parts["evaluation"]
    for protocol in protocols_of(evaluation):
        edited = evaluation["after"] is not None
        heads = ["measure", "before", *(["after"] if edited else []), "90% interval", "asked"]
        table = Table(*heads, box=None, pad_edge=False)
        for _, before, after in numbers_of(evaluation, protocol):
            last = after or before
            assert last is not None
            sides = [_value(before), *([_value(after)] if edited else [])]
            table.add_row(last.name, *sides, f"{last.low:.3f}–{last.high:.3f}", f"{last.count:,}")
        screen().print(table)
    _print_figures(evaluation)
    counts = evaluation["counts"]
    say(
        f"{counts['facts']} facts, {counts['rephrase_prompts']} rephrases, "
        f"{counts['locality_prompts']} locality prompts, {counts['portability_prompts']} "
        f"portability prompts. {evaluation['sentence']}"
    )
    if evaluation["after"] is not None and evaluation["failed"]:
        say(f"{evaluation['failed']} questions failed, the first of them:")
        for row in evaluation["failures"][:SHOWN]:
            said = row["said_after"] if row["said_after"] is not None else "not written"
            wanted = "as before" if row["role"] == "locality" else row["wanted"]
            say(visible(f"  {row['prompt']} -> {said} (wanted {wanted})"))
    for name in ("health", "capability"):
        if name in parts:
            say(visible(parts[name]["sentence"]))


def _print_figures(evaluation: dict[str, Any]) -> None:
    """What is no share by a protocol."""
    rows = figure_rows(evaluation)
    edited = evaluation["after"] is not None
    heads = ["figure", "before", *(["after", "change"] if edited else [])]
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        sides = [row.before, *([row.after] if edited else [])]
        shown = ["–" if value is None else f"{value:.3f}" for value in sides]
        table.add_row(row.name, *shown, *([row.change or "–"] if edited else []))
    if rows:
        screen().print(table)


def _value(number: "Measured | None") -> str:
    return "–" if number is None else f"{number.value:.3f}"
