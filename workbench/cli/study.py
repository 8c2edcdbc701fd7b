"""`workbench study`: the paper's controlled experiments, with a table and one sentence.

The first Ctrl-C ends a study between two steps; with ``--out`` what is done is kept, and the same
command goes on from it. ``--out`` also holds the settings as YAML; ``--settings`` reads them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from workbench.cli.common import (
    Columns,
    Encoding,
    FactsPath,
    Json,
    PlotPath,
    exit_stopped,
    load,
    print_json,
    read_reported,
    require_writable,
    say,
    screen,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.measure.figures import SHORT, short_figures
from workbench.measure.protocols import BESIDE, SCORED
from workbench.measure.report.study import COST_HEADS, study_costs, study_html, tried_setting
from workbench.model.choice import ModelChoice
from workbench.search.study_events import KEPT
from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudySettings
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper
from workbench.work.stop import Stop

__all__ = ["study"]

HEADS = dict(zip(BESIDE, ("question", "chat", "first token"), strict=True))


@command("study")
def study(
    file: FactsPath,
    settings: StudySettings,
    choice: ModelChoice,
    columns: Columns = None,
    encoding: Encoding = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where the study is kept, to go on from later."),
    ] = None,
    plot: PlotPath = None,
    as_json: Json = False,
) -> None:
    """Studies the facts of a file."""
    require_writable(plot)
    found = read_reported(file, columns, encoding)
    base, stop = load(choice), Stop()

    from workbench.search.studying import studying

    keeper: Keeper = FORGETFUL
    if out is not None:
        keeper = FolderKeeper(out, "study", KEPT, StudySettings)
    done = watched(
        f"Studying {base.name}",
        studying(base, found.facts, settings, keeper=keeper, stop=stop),
        stop,
        keep=keeper.take,
    )
    record = done.result.record(base.name, done.asked, done.finished)
    if plot is not None:
        plot.write_text(study_html(record), encoding="utf-8")
    if as_json:
        print_json(record)
    else:
        _print(done.result, done.asked)
    if not done.finished:
        exit_stopped(len(done.result.trials), done.trials, out)


def _print(result: StudyResult, sentence: str) -> None:
    say(sentence)
    if result.settings.kind == "methods":
        _print_rivals(result.rows())
    else:
        _print_arms(result.rows())
    _print_beside(result.rows())
    say("Shares are by the strict protocol; question and chat are reliability asked so.")
    for line in result.sentences():
        say(line)


def _print_arms(rows: Sequence[Mapping[str, Any]]) -> None:
    """The arms with their place, rate and scores."""
    heads = ["arm", "at", "lr", *SCORED, "capability kept", "steps", "s"]
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        kept = row.get("capability_kept")
        table.add_row(
            row["label"],
            row["at"],
            f"{row['learning_rate']:g}",
            *_shares(row, SCORED),
            "–" if kept is None else f"{kept:.1%}",
            f"{row['steps']:,}",
            f"{row['seconds']:.1f}",
        )
    screen().print(table)


def _print_rivals(rows: Sequence[Mapping[str, Any]]) -> None:
    """The methods with their scores, then with what each costs; a star is on the Pareto line."""
    measures = (*SCORED, "portability")
    table = Table("arm", "best setting", *measures, "score", "s", box=None, pad_edge=False)
    costs = Table("arm", "capability kept", *COST_HEADS, box=None, pad_edge=False)
    for row in rows:
        kept = row.get("capability_kept")
        star = "* " if row["pareto"] else ""
        score, seconds = f"{100 * row['score']:.1f}", f"{row['seconds']:.1f}"
        shares = _shares(row, measures)
        table.add_row(star + row["label"], tried_setting(row), *shares, score, seconds)
        costs.add_row(row["label"], "–" if kept is None else f"{kept:.1%}", *study_costs(row))
    screen().print(table)
    screen().print(costs)


def _shares(row: Mapping[str, Any], measures: Sequence[str]) -> list[str]:
    """The strict shares of an arm, as they are printed."""
    found = [row.get(f"{measure}_strict") for measure in measures]
    return ["–" if value is None else f"{value:.3f}" for value in found]


def _print_beside(rows: Sequence[Mapping[str, Any]]) -> None:
    """The measures for which the first table has no room, in one of their own."""
    measures = [measure for measure in BESIDE if any(f"{measure}_strict" in row for row in rows)]
    if not measures:
        return
    table = Table(
        "arm", *(HEADS[measure] for measure in measures), *SHORT, box=None, pad_edge=False
    )
    for row in rows:
        table.add_row(row["label"], *_shares(row, measures), *short_figures(row))
    screen().print(table)
