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
    exit_stopped,
    load,
    print_json,
    read_reported,
    say,
    screen,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.measure.figures import SHORT, short_figures
from workbench.measure.protocols import BESIDE, SCORED
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
    as_json: Json = False,
) -> None:
    """Studies the facts of a file."""
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
    if as_json:
        print_json(done.result.record(base.name, done.asked, done.finished))
    else:
        _print(done.result, done.asked)
    if not done.finished:
        exit_stopped(len(done.result.trials), done.trials, out)


def _print(result: StudyResult, sentence: str) -> None:
    say(sentence)
    heads = ["arm", "at", "lr", *SCORED, "capability kept", "steps", "s"]
    table = Table(*heads, box=None, pad_edge=False)
    for row in result.rows():
        kept = row.get("capability_kept")
        shares = [row.get(f"{measure}_strict") for measure in SCORED]
        table.add_row(
            row["label"],
            row["at"],
            f"{row['learning_rate']:g}",
            *("–" if value is None else f"{value:.3f}" for value in shares),
            "–" if kept is None else f"{kept:.1%}",
            f"{row['steps']:,}",
            f"{row['seconds']:.1f}",
        )
    screen().print(table)
    _print_beside(result.rows())
    say("Shares are by the strict protocol; question and chat are reliability asked so.")
    for line in result.sentences():
        say(line)


def _print_beside(rows: Sequence[Mapping[str, Any]]) -> None:
    """The measures for which the first table has no room, in one of their own."""
    measures = [measure for measure in BESIDE if any(f"{measure}_strict" in row for row in rows)]
    if not measures:
        return
    table = Table(
        "arm", *(HEADS[measure] for measure in measures), *SHORT, box=None, pad_edge=False
    )
    for row in rows:
        shares = [row.get(f"{measure}_strict") for measure in measures]
        shown = ["–" if value is None else f"{value:.3f}" for value in shares]
        table.add_row(row["label"], *shown, *short_figures(row))
    screen().print(table)
