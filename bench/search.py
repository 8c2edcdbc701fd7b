"""A sweep within a budget against the full search: `python -m bench.search --facts FILE`.

The full search makes a run of full length at every place of a coarse grid with every rate; it takes
long, and `--kept DIR` keeps its rows, so that it can be broken off and goes on. The sweep gets a
budget, and what it recommends is looked up among the full runs: how many points of the score are
lost to the best of them. `--budget 600 --alone` sweeps every layer without a search to compare
with. Seconds are those of the CPU, which other programs lengthen less; `--wall` takes those on the
clock.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from bench.real import machine
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.methods.locft_settings import automatic_batch_size, automatic_epochs
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.location import parse_locations
from workbench.model.real import REAL
from workbench.search.held_out import SHORT_ANSWER
from workbench.search.score import LocationScore, score_rows
from workbench.search.stages import contenders
from workbench.search.sweep_events import LocationDone, SweepStarted
from workbench.search.sweep_settings import RATES_AROUND, SweepSettings, parse_layers
from workbench.search.sweeping import SweepResult, sweeping
from workbench.search.weights import PRESET_WEIGHTS, short_weights
from workbench.work.events import Event, follow
from workbench.work.keeper import FolderKeeper

MEASURES = (
    "reliability",
    "generalization",
    "locality",
    "question",
    "chat",
    "neighbours",
    "text",
)


def full_search(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SweepSettings,
    options: argparse.Namespace,
) -> tuple[LocationDone, ...]:
    """A run of full length at every place and rate."""
    keeper = FolderKeeper(options.kept, "sweep", (LocationDone,))
    # What must not change is judged by the same answers as in the sweeps.
    work = sweeping(
        model,
        facts,
        settings,
        keeper=keeper,
        clock=options.clock,
        answer_tokens=SHORT_ANSWER,
    )
    return follow(work, told_and(keeper.take)).rows


def told_and(take: Callable[[Event], object]) -> Callable[[Event], None]:
    """Takes events, and prints the rows among them."""

    def tell(event: Event) -> None:
        take(event)
        if isinstance(event, LocationDone):
            size = f"{len(event.reliable)} facts, {event.epochs} of {event.limit} passes"
            print(
                f"  {event.at} at {event.learning_rate:g}: {size}, {event.seconds:.0f} s",
                flush=True,
            )
        elif isinstance(event, SweepStarted) and event.rungs:
            print(f"  lengths: {event.rungs}", flush=True)

    return tell


def table(scores: Sequence[LocationScore]) -> str:
    """Rows with all that they are scored by, best first."""
    head = f"| place | rate | score | {' | '.join(MEASURES)} | s |"
    lines = [head, "| --- |" + " ---: |" * (len(MEASURES) + 3)]
    for score in sorted(scores, key=lambda score: -score.score):
        values = [getattr(score, name) for name in MEASURES]
        cells = ["–" if value is None else f"{value:.2f}" for value in values]
        lines.append(
            f"| {score.at} | {score.learning_rate:g} | {100 * score.score:.1f} "
            f"| {' | '.join(cells)} | {score.seconds:.0f} |"
        )
    return "\n".join(lines)


def swept(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SweepSettings,
    clock: Callable[[], float],
) -> SweepResult:
    """A sweep within its budget; prints what it took and what it recommends."""
    began, wall = clock(), time.monotonic()
    result = follow(sweeping(model, facts, settings, clock=clock), told_and(lambda event: None))
    places = len({row.place for row in result.rows})
    print(
        f"sweep: budget {settings.budget:g} s, took {clock() - began:.0f} s "
        f"({time.monotonic() - wall:.0f} s on the clock), {len(result.rows)} trials of {places} "
        f"places and rates"
    )
    assert result.recommended is not None
    print(
        f"recommended: {result.recommended.at} at {result.recommended.learning_rate:g}. "
        f"{result.recommended.reason}"
    )
    return result


def compared(model: LanguageModel, facts: Sequence[Fact], options: argparse.Namespace) -> None:
    """The full search, and a sweep for each of the weights in words."""
    module = parse_locations(model.preset.at)[0].module
    rate = model.preset.learning_rate
    batch = automatic_batch_size(len(facts))
    grid = SweepSettings(
        layers=parse_layers(options.layers),
        modules=(module,),
        learning_rates=(rate, *(float(f"{rate * factor:.6g}") for factor in RATES_AROUND)),
        sample=len(facts),
        epochs=options.passes,
        forms=tuple(options.forms),
        keep=options.keep,
    )
    full = {"epochs": options.passes or automatic_epochs(len(facts), batch), "full_runs": 0}
    settings = grid.as_dict() | full
    rows = full_search(model, facts, SweepSettings.from_dict(settings), options)
    print(f"full search: {len(rows)} runs, {sum(row.seconds for row in rows):.0f} s")
    for words in options.weights:
        weights = PRESET_WEIGHTS[words]
        print(f"\n{words}: {', '.join(f'{weight:g}' for weight in short_weights(weights))}")
        searched = score_rows(rows, weights)
        print(table(searched))
        budgeted = grid.as_dict() | {"budget": options.budget, "weights": short_weights(weights)}
        result = swept(model, facts, SweepSettings.from_dict(budgeted), options.clock)
        found = result.recommended
        assert found is not None
        best = max(searched, key=lambda score: score.score)
        (mine,) = [
            score
            for score in searched
            if (score.at, score.learning_rate) == (found.at, found.learning_rate)
        ]
        lost = 100 * (best.score - mine.score)
        print(
            f"best of the search: {best.at} at {best.learning_rate:g}, {100 * best.score:.1f}; "
            f"recommended: {100 * mine.score:.1f}; lost: {lost:.1f} points"
        )


def alone(model: LanguageModel, facts: Sequence[Fact], options: argparse.Namespace) -> None:
    """One sweep with all layers, as a person asks for it."""
    for words in options.weights:
        weights = PRESET_WEIGHTS[words]
        settings = SweepSettings(
            budget=options.budget,
            sample=options.count,
            weights=short_weights(weights),
            forms=tuple(options.forms),
            keep=options.keep,
        )
        result = swept(model, facts, settings, options.clock)
        print(table(score_rows(contenders(result.rows, weights), weights)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs=2, default=(400, 900), help="from, to")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", default="3,9,15,21,27")
    parser.add_argument("--passes", type=int, help="most, in a run of full length")
    parser.add_argument("--budget", type=float, default=300.0, help="seconds")
    parser.add_argument("--weights", nargs="*", choices=list(PRESET_WEIGHTS), default=["balanced"])
    parser.add_argument("--forms", nargs="*", default=[])
    parser.add_argument("--keep", type=float, default=0.0)
    parser.add_argument("--kept", type=Path, default=Path("search"), help="the search's rows")
    parser.add_argument("--model", default=REAL)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wall", action="store_true", help="keep the budget on the clock")
    parser.add_argument("--alone", action="store_true", help="no search, all layers")
    options = parser.parse_args()
    options.clock = time.monotonic if options.wall else time.process_time
    torch.set_num_threads(options.threads)
    print(machine(options.threads), flush=True)
    model = load_model(options.model, device="cpu")
    known = list(read_facts(options.facts).facts)[slice(*options.rows)]
    if options.alone:
        alone(model, known, options)
    else:
        drawn = random.Random(options.seed).sample(known, min(options.count, len(known)))
        compared(model, drawn, options)


if __name__ == "__main__":
    main()
