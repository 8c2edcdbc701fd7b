"""`workbench sweep`: edits at many locations, scored, and one of them recommended.

The first Ctrl-C ends a sweep between two steps; with ``--out`` its rows are kept, and the same
command goes on from them.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    preset_record,
    print_json,
    read_reported,
    require_writable,
    say,
    screen,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.model.choice import ModelChoice
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel
    from workbench.search.score import LocationScore
    from workbench.search.sweeping import SweepResult

__all__ = ["sweep"]

# What stands over a column, and what in it; the others are shown where they count.
Column = tuple[str, Callable[["LocationScore"], float | None]]
USUAL: tuple[Column, ...] = (
    ("rel.", lambda row: row.reliability),
    ("gen.", lambda row: row.generalization),
    ("loc.", lambda row: row.locality),
)
OTHERS: tuple[Column, ...] = (
    ("quest.", lambda row: row.question),
    ("chat", lambda row: row.chat),
    ("neigh.", lambda row: row.neighbours),
    ("text", lambda row: row.text),
)


@command("sweep")
def sweep(
    file: FactsPath,
    settings: SweepSettings,
    choice: ModelChoice,
    columns: Columns = None,
    encoding: Encoding = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where rows are kept, to go on from later."),
    ] = None,
    plot: PlotPath = None,
    as_json: Json = False,
) -> None:
    """Sweeps the layers."""
    require_writable(plot)
    found = read_reported(file, columns, encoding)
    base, stop = load(choice), Stop()

    from workbench.search.sweeping import sweeping

    keeper: Keeper = FolderKeeper(out, "sweep", (LocationDone,)) if out is not None else FORGETFUL
    result = watched(
        f"Sweeping {base.name}",
        sweeping(base, found.facts, settings, keeper=keeper, stop=stop),
        stop,
        keep=keeper.take,
        remarks=not as_json,
    )
    if plot is not None and result.scores:
        _plot_sweep(plot, result, base)
    if as_json:
        print_json(_report(base, settings, result))
    else:
        _print(base, result)
    if not result.finished:
        exit_stopped(len(result.scores), result.plan.trials, out)


def _report(
    base: "LanguageModel", settings: SweepSettings, result: "SweepResult"
) -> dict[str, Any]:
    """All there is to tell about a sweep, as JSON-ready data."""
    preset, chosen = base.preset, result.recommended
    return {
        "model": base.name,
        "rows": [{**row.as_dict(), "preset": row.at in preset.at} for row in result.scores],
        "recommended": chosen.as_dict() if chosen is not None else None,
        "finished": result.finished,
        "scored_on": result.plan.held_out,
        "settings": result.settings.as_dict(),
        "weights": asdict(settings.score_weights),
        "preset": preset_record(base),
    }


def _print(base: "LanguageModel", result: "SweepResult") -> None:
    preset, chosen = base.preset, result.recommended
    several = len(result.plan.learning_rates) > 1
    weighed = result.settings.weights[len(USUAL) :]
    shown = USUAL + (OTHERS if result.plan.rungs or any(weighed) else ())
    heads = ["location", *(["lr"] if several else []), *(head for head, _ in shown)]
    table = Table(*heads, "KL", "score", "s", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for row in result.scores:
        length = f"{row.facts} facts, {row.limit} passes" if result.plan.rungs else "full length"
        marks = ("preset", row.at in preset.at), (length, row.is_full)
        mark = ", ".join(word for word, is_so in marks if is_so)
        table.add_row(
            f"{row.at} ({mark})" if mark else row.at,
            *([f"{row.learning_rate:g}"] if several else []),
            *(_written(measure(row)) for _, measure in shown),
            f"{row.kl:.3f}",
            f"{100 * row.score:.0f} ({100 * row.low['score']:.0f}–{100 * row.high['score']:.0f})",
            f"{row.seconds:.1f}",
        )
    screen().print(table)
    if chosen is not None:
        rate = f" at {chosen.learning_rate:g}" if several else ""
        say(f"Recommended: {chosen.at}{rate}. {chosen.reason}")
    known = "a guess: " if preset.is_guess else ""
    say(f"Preset: {', '.join(preset.at)} ({known}{preset.source}).")


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _plot_sweep(path: Path, result: "SweepResult", base: "LanguageModel") -> None:
    import pandas as pd

    from workbench.plots.style import write_html
    from workbench.plots.sweep import sweep_curves

    rows = pd.DataFrame([row.as_dict() for row in result.scores])
    preset, chosen = base.preset, result.recommended
    figure = sweep_curves(
        rows,
        recommended=chosen.at if chosen is not None else "",
        preset=preset.at,
        source=preset.source,
        note=result.plan.note,
    )
    write_html(path, [figure], f"Sweep of {base.name}")
