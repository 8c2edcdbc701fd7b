"""`workbench sweep`: edits at many locations, scored, and one of them recommended.

The first Ctrl-C ends a sweep between two steps; with ``--out`` its rows are kept, and the same
command goes on from them.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from workbench.cli.common import (
    Columns,
    Device,
    Dtype,
    FactsPath,
    Json,
    Model,
    Trust,
    load,
    print_json,
    read_reported,
    say,
    screen,
)
from workbench.cli.interrupt import exit_stopped, stopping_on_interrupt
from workbench.cli.layer_options import (
    DEFAULTS,
    HELP,
    PlotPath,
    SampleSize,
    Seed,
    preset_record,
    require_writable,
)
from workbench.cli.progress import progress_line
from workbench.errors import SettingsError
from workbench.search import sweep_events as events
from workbench.search.recommend import Recommendation, recommend
from workbench.search.score import LocationScore, ScoreWeights, score_rows
from workbench.search.sweep_settings import SweepSettings, parse_layers

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel
    from workbench.search.sweep import Sweep
    from workbench.search.sweep_file import SweepFile

__all__ = ["sweep"]


FullRuns = Annotated[int, typer.Option("--full-runs", help=HELP["full_runs"])]
Weights = Annotated[
    str,
    typer.Option(
        "--weights", help="How much reliability, generalization and locality count in a score."
    ),
]


def sweep(
    file: FactsPath,
    columns: Columns = None,
    model: Model = None,
    layers: Annotated[str, typer.Option("--layers", help=HELP["layers"])] = "all",
    modules: Annotated[list[str] | None, typer.Option("--modules", help=HELP["modules"])] = None,
    learning_rates: Annotated[
        list[float] | None, typer.Option("--lr", help=HELP["learning_rates"])
    ] = None,
    sample: SampleSize = DEFAULTS.sample,
    epochs: Annotated[int | None, typer.Option("--epochs", help=HELP["epochs"])] = None,
    full_runs: FullRuns = DEFAULTS.full_runs,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help=HELP["batch_size"])] = None,
    seed: Seed = DEFAULTS.seed,
    weights: Weights = "1,1,1",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where rows are kept, to go on from later."),
    ] = None,
    plot: PlotPath = None,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Try a short edit at each location, score it on what is held out, and recommend one."""
    weigh = _parse_weights(weights)
    settings = SweepSettings(
        layers=parse_layers(layers),
        modules=tuple(part.strip() for text in modules or () for part in text.split(",")),
        learning_rates=tuple(learning_rates or ()),
        sample=sample,
        epochs=epochs,
        full_runs=full_runs,
        batch_size=batch_size,
        seed=seed,
    )
    require_writable(plot)
    found = read_reported(file, columns)
    base = load(model, device, dtype, trust_remote_code)

    from workbench.search.sweep_file import open_sweep

    run, kept = open_sweep(base, found.facts, settings, out, weigh)
    with stopping_on_interrupt(run.stop):
        plan, finished = _follow(run, kept, as_json)
    scores, chosen = score_rows(run.rows, weigh), recommend(run.rows, weigh)
    if plot is not None and scores:
        _plot_sweep(plot, scores, chosen, plan, base)
    if as_json:
        print_json(_report(base, run, plan, scores, chosen, weigh, finished))
    else:
        _print(base, plan, scores, chosen)
    if not finished:
        exit_stopped(len(scores), plan.trials, out)


def _parse_weights(text: str) -> ScoreWeights:
    try:
        reliability, generalization, locality = (float(part) for part in text.split(","))
    except ValueError as error:
        raise SettingsError(
            f"weights is '{text}'. Write three numbers, for reliability, generalization and "
            "locality, such as 1,1,2."
        ) from error
    return ScoreWeights(reliability, generalization, locality)


def _follow(
    run: "Sweep", kept: "SweepFile | None", quiet: bool
) -> tuple[events.SweepStarted, bool]:
    """Sweeps to the end: the plan, and whether it finished."""
    plan: events.SweepStarted | None = None
    finished = False
    with progress_line(f"Sweeping {run.model.name}") as line:
        for event in run.events():
            match event:
                case events.SweepStarted():
                    plan = event
                    line.update(total=1.0, completed=0.0)
                    if not quiet:
                        line.say(plan.held_out)
                case events.SweepProgress():
                    state = f"{event.at}, {event.number} of {event.trials}, epoch {event.epoch}"
                    line.update(completed=event.share, state=state)
                case events.LocationDone() if kept is not None and event not in kept.events:
                    kept.add(event)
                case events.SweepFinished():
                    finished = True
    assert plan is not None
    return plan, finished


def _report(
    base: "LanguageModel",
    run: "Sweep",
    plan: events.SweepStarted,
    scores: list[LocationScore],
    chosen: Recommendation | None,
    weights: ScoreWeights,
    finished: bool,
) -> dict[str, Any]:
    """All there is to tell about a sweep, as JSON-ready data."""
    preset = base.preset
    return {
        "model": base.name,
        "rows": [{**row.as_dict(), "preset": row.at in preset.at} for row in scores],
        "recommended": chosen.as_dict() if chosen is not None else None,
        "finished": finished,
        "scored_on": plan.held_out,
        "settings": run.settings.as_dict(),
        "weights": asdict(weights),
        "preset": preset_record(base),
    }


def _print(
    base: "LanguageModel",
    plan: events.SweepStarted,
    scores: list[LocationScore],
    chosen: Recommendation | None,
) -> None:
    preset = base.preset
    several = len(plan.learning_rates) > 1
    heads = ["location", *(["lr"] if several else []), "rel.", "gen.", "loc.", "KL", "score", "s"]
    table = Table(*heads, box=None, pad_edge=False)
    for row in scores:
        marks = ("preset", row.at in preset.at), ("full length", row.is_full)
        mark = ", ".join(word for word, is_so in marks if is_so)
        measures = (row.reliability, row.generalization, row.locality)
        table.add_row(
            f"{row.at} ({mark})" if mark else row.at,
            *([f"{row.learning_rate:g}"] if several else []),
            *("–" if value is None else f"{value:.2f}" for value in measures),
            f"{row.kl:.3f}",
            f"{100 * row.score:.0f} ({100 * row.low['score']:.0f}–{100 * row.high['score']:.0f})",
            f"{row.seconds:.1f}",
        )
    screen().print(table)
    if chosen is not None:
        say(f"Recommended: {chosen.at}. {chosen.reason}")
    known = "a guess: " if preset.is_guess else ""
    say(f"Preset: {', '.join(preset.at)} ({known}{preset.source}).")


def _plot_sweep(
    path: Path,
    scores: list[LocationScore],
    chosen: Recommendation | None,
    plan: events.SweepStarted,
    base: "LanguageModel",
) -> None:
    import pandas as pd

    from workbench.plots.style import write_html
    from workbench.plots.sweep import sweep_curves

    rows = pd.DataFrame([row.as_dict() for row in scores])
    preset = base.preset
    figure = sweep_curves(
        rows,
        recommended=chosen.at if chosen is not None else "",
        preset=preset.at,
        source=preset.source,
        note=plan.note,
    )
    write_html(path, [figure], f"Sweep of {base.name}")
