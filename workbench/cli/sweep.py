"""`workbench sweep`: edits at many locations, scored, and one of them recommended.

The first Ctrl-C ends a sweep between two steps; with ``--out`` its rows are kept, and the same
command goes on from them.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
)
from workbench.cli.options import command
from workbench.cli.sweep_tables import print_by_length, print_trials
from workbench.cli.terminal import watched
from workbench.model.choice import ModelChoice
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.search.weights import FEWEST_WEIGHTS
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel
    from workbench.search.sweeping import SweepResult

__all__ = ["sweep"]


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
    if result.plan.rungs or any(result.settings.weights[FEWEST_WEIGHTS:]):
        print_by_length(result.scores, several)
    else:
        print_trials(result.scores, preset.at, several)
    if chosen is not None:
        rate = f" at {chosen.learning_rate:g}" if several else ""
        say(f"Recommended: {chosen.at}{rate}. {chosen.reason}")
    known = "a guess: " if preset.standing == "a guess" else ""
    say(f"Preset: {', '.join(preset.at)} ({known}{preset.source}).")


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
