"""`workbench study`: the paper's controlled experiments, with a table and one sentence.

The first Ctrl-C ends a study between two steps; with ``--out`` what is done is kept, and the same
command goes on from it. ``--out`` also holds the settings as YAML; ``--settings`` reads them.
"""

from dataclasses import replace
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
from workbench.cli.progress import progress_line
from workbench.search.study_events import (
    KEPT,
    StudyFinished,
    StudyProgress,
    StudyStarted,
)
from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudyKind, StudySettings
from workbench.work.events import Event

if TYPE_CHECKING:
    from workbench.search.study import Study
    from workbench.search.study_file import StudyFile

__all__ = ["study"]

HELP = StudySettings.help()


def study(
    kind: Annotated[StudyKind, typer.Argument(help="Which experiment.")],
    file: FactsPath,
    columns: Columns = None,
    model: Model = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", metavar="YAML", help="Settings of a study; options go first."),
    ] = None,
    facts: Annotated[int | None, typer.Option("--facts", help=HELP["facts"])] = None,
    passes: Annotated[int | None, typer.Option("--passes", help=HELP["passes"])] = None,
    learning_rates: Annotated[
        list[float] | None, typer.Option("--lr", help=HELP["learning_rates"])
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help=HELP["batch_size"])] = None,
    at: Annotated[str | None, typer.Option("--at", help=HELP["at"])] = None,
    locft_at: Annotated[str | None, typer.Option("--locft-at", help=HELP["locft_at"])] = None,
    sizes: Annotated[list[int] | None, typer.Option("--size", help=HELP["sizes"])] = None,
    written: Annotated[int | None, typer.Option("--written", help=HELP["written"])] = None,
    capability: Annotated[
        list[str] | None, typer.Option("--capability", metavar="TASK", help=HELP["capability"])
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help=HELP["limit"])] = None,
    seed: Annotated[int | None, typer.Option("--seed", help=HELP["seed"])] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where the study is kept, to go on from later."),
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Compare pipelines, numbers of facts, or locations, with the same budget for each."""
    given = _given(
        facts=facts, passes=passes, learning_rates=learning_rates, batch_size=batch_size, at=at,
        locft_at=locft_at, sizes=sizes, written=written, capability=capability, limit=limit,
        seed=seed
    )  # fmt: skip
    basis = StudySettings.from_yaml(settings) if settings is not None else StudySettings()
    chosen = replace(basis, kind=kind, **given)
    found = read_reported(file, columns)
    base = load(model, device, dtype, trust_remote_code)

    from workbench.search.study_file import open_study

    run, kept = open_study(base, found.facts, chosen, out)
    with stopping_on_interrupt(run.stop):
        events, finished, sentence = _follow(run, kept)
    result = StudyResult.of(run.settings, events)
    if as_json:
        print_json(result.record(base.name, sentence, finished))
    else:
        _print(result, sentence)
    if not finished:
        exit_stopped(len(result.trials), run.trials, out)


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given, lists as tuples."""
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return {k: v for k, v in values.items() if v not in (None, ())}


def _follow(run: "Study", kept: "StudyFile | None") -> tuple[list[Event], bool, str]:
    """Studies to the end: all that is kept, whether it finished, and what is the same for all."""
    events: list[Event] = list(kept.events) if kept is not None else []
    finished, sentence = False, ""
    with progress_line(f"Studying {run.model.name}") as line:
        for event in run.events():
            if isinstance(event, StudyStarted):
                sentence = event.sentence
                line.update(total=max(1, event.trials), completed=event.kept)
            elif isinstance(event, StudyProgress):
                done = event.done + event.share if event.trials else event.share
                line.update(completed=done, state=event.label)
            elif isinstance(event, KEPT):
                events.append(event)
                if kept is not None:
                    kept.add(event)
            finished = isinstance(event, StudyFinished)
    return events, finished, sentence


def _print(result: StudyResult, sentence: str) -> None:
    say(sentence)
    measures = ("reliability", "generalization", "locality")
    heads = ["arm", "at", "lr", *measures, "capability kept", "steps", "s"]
    table = Table(*heads, box=None, pad_edge=False)
    for row in result.rows():
        kept = row.get("capability_kept")
        shares = [row.get(f"{measure}_strict") for measure in measures]
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
    say("Shares are by the strict protocol.")
    for line in result.sentences():
        say(line)
