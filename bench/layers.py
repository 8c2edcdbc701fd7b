"""Scan, sweep and recommendation against the full search: `python -m bench.layers`.

On the built-in model and its sample facts: how long a scan and a sweep take, how well the sweep's
scores order the layers as full runs do, and how good the recommended location is among all. The
full search is a complete run on all facts at every layer and matrix; it takes long, and `--kept
DIR` keeps its rows, so that it can be broken off and goes on. `--shape llama-3-8b` times scan and
sweep on random weights, on a GPU.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch

from bench.subjects import SHAPES, random_facts, random_model
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings, automatic_batch_size, automatic_epochs
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.paths import assets_dir
from workbench.search.recommend import recommend
from workbench.search.scan import Scan, scan
from workbench.search.score import LocationScore, score_rows
from workbench.search.stages import short_rows
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.search.sweeping import sweeping
from workbench.work.events import Event, follow
from workbench.work.keeper import FolderKeeper


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock, and of the CPU, which other programs lengthen less."""

    clock: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.clock:.1f} s ({self.cpu:.1f} s of CPU time)"


Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, Spent]:
    """What some work gives, and the time that it takes, everything included."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Spent(time.perf_counter() - clock, time.process_time() - cpu)


def swept(sweep: Sweep) -> list[LocationDone]:
    """A sweep's rows."""
    return [event for event in sweep.events() if isinstance(event, LocationDone)]


def timed_sweep(name: str, sweep: Sweep, run: Spent) -> list[LocationDone]:
    """A sweep's rows; prints what it took, also in full runs."""
    rows, spent = timed(lambda: swept(sweep))
    print(
        f"sweep, {name}: {len(rows)} trials, {spent}; in full runs, by CPU time: "
        f"{spent.cpu / run.cpu:.2f}",
        flush=True,
    )
    return rows


def full_search(
    model: LanguageModel, facts: Sequence[Fact], modules: tuple[str, ...], kept: Path
) -> list[LocationDone]:
    """A complete run, with a run's own settings, at every layer and some modules."""
    batch_size = automatic_batch_size(len(facts))
    settings = SweepSettings(
        modules=modules, sample=len(facts), epochs=automatic_epochs(len(facts), batch_size)
    )
    keeper = FolderKeeper(kept, "sweep", (LocationDone,))

    def tell(event: Event) -> None:
        keeper.take(event)
        if isinstance(event, LocationDone):
            print(f"full run at {event.at}: {event.seconds:.1f} s", flush=True)

    return list(follow(sweeping(model, facts, settings, keeper=keeper), tell).rows)


def full_run(model: LanguageModel, sweep: Sweep) -> Spent:
    """Time of a run on a sweep's sample at the middle layer, capture of hidden states included."""
    (preset,) = model.preset.at
    module = preset.partition(".")[2]
    middle = EditSettings(at=(f"{model.layer_count // 2}.{module}".rstrip("."),))

    def run() -> None:
        for _event in LocftRun(model, sweep.sample, middle).events():
            pass

    return timed(run)[1]


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation; equal values share their mean rank."""
    ranks = pd.DataFrame({"first": first, "second": second}).rank()
    return float(np.corrcoef(ranks["first"], ranks["second"])[0, 1])


def layer_table(short: Sequence[LocationScore], full: dict[str, LocationScore]) -> str:
    """The sweep's rows beside the search's as a Markdown table."""
    lines = [
        "| location | passes | sweep: rel. | gen. | loc. | score (90%) | s | search: rel. | gen. "
        "| loc. | score | s |",
        "| --- |" + " ---: |" * 11,
    ]
    for row in short:
        other = full[row.at]
        lines.append(
            f"| {row.at}{', full' if row.is_full else ''} | {row.epochs} "
            f"| {row.reliability:.2f} | {row.generalization:.2f} | {row.locality:.2f} "
            f"| {100 * row.score:.1f} ({100 * row.low['score']:.0f}–{100 * row.high['score']:.0f}) "
            f"| {row.seconds:.1f} | {other.reliability:.2f} | {other.generalization:.2f} "
            f"| {other.locality:.2f} | {100 * other.score:.1f} | {other.seconds:.1f} |"
        )
    return "\n".join(lines)


def report_sweep(
    name: str, rows: Sequence[LocationDone], full: dict[str, LocationScore], best: LocationScore
) -> None:
    """How well a sweep orders its locations, and what its recommendation is worth."""
    scores = score_rows(short_rows(rows))
    correlation = spearman([s.score for s in scores], [full[s.at].score for s in scores])
    chosen = recommend(rows)
    assert chosen is not None
    lost = 100 * (best.score - full[chosen.at].score)
    print(f"\n{name}: Spearman of the short runs with the full search {correlation:.2f}")
    print(f"{name}: {chosen.reason}")
    print(
        f"{name}: its full score is {100 * full[chosen.at].score:.1f}; the best of the search is "
        f"{best.at} with {100 * best.score:.1f}; lost {lost:.1f} points"
    )


def report_scan(found: Scan, full: dict[str, LocationScore]) -> None:
    """What a scan's columns tell about full runs, over all matrices."""
    places = [row for row in found.rows if row.at in full]
    for column in ("relative", "overlap"):
        values = [getattr(row, column) for row in places]
        cells = []
        for measure in ("generalization", "locality", "score"):
            other = [float(getattr(full[row.at], measure)) for row in places]
            cells.append(f"{measure} {spearman(values, other):+.2f}")
        print(f"scan's {column}, Spearman over {len(places)} matrices with {', '.join(cells)}")


def builtin(options: argparse.Namespace) -> None:
    """Everything about the built-in model."""
    model = load_model("builtin", device="cpu")
    facts = read_facts(assets_dir() / "samples" / "facts_200.csv").facts
    found, spent = timed(lambda: scan(model, facts))
    print(f"scan: {spent}, {found.sample} facts, {len(found.rows)} matrices")
    run = full_run(model, Sweep(model, facts, SweepSettings(seed=options.seed)))
    print(f"a full run on the sweep's sample at the middle layer: {run}")
    module = model.preset.at[0].partition(".")[2]
    sweeps = {
        name: timed_sweep(name, Sweep(model, facts, settings), run)
        for name, settings in {
            "every layer": SweepSettings(modules=(module,), seed=options.seed),
            "automatic": SweepSettings(seed=options.seed),
            "every matrix": SweepSettings(modules=("all",), seed=options.seed),
        }.items()
    }
    if options.kept is None:
        return
    searched = score_rows(full_search(model, facts, ("all",), options.kept))
    full = {row.at: row for row in searched}
    best = max(searched, key=lambda row: row.score)
    print("\n" + layer_table(score_rows(sweeps["automatic"]), full))
    for name, rows in sweeps.items():
        report_sweep(name, rows, full, best)
    report_scan(found, full)
    top = sorted(searched, key=lambda row: -row.score)[:8]
    print("best of the search: " + ", ".join(f"{r.at} {100 * r.score:.1f}" for r in top))


def shaped(options: argparse.Namespace) -> None:
    """Times on random weights of a large model's shape."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = random_model(options.shape, device, torch.bfloat16)
    facts = random_facts(256, SHAPES[options.shape].vocab_size)
    settings = SweepSettings(modules=("mlp.down_proj",), learning_rates=(5e-4,))
    for name in ("warm-up", "measured"):
        _, scanned = timed(lambda: scan(model, facts))
        sweep = Sweep(model, facts, settings)
        rows, spent = timed(partial(swept, sweep))
        print(
            f"{name}: scan {scanned.clock:.1f} s; sweep of {len(rows)} locations, "
            f"{len(sweep.sample)} facts, at most {sweep.settings.epochs} epochs: "
            f"{spent.clock:.1f} s",
            flush=True,
        )
    run = full_run(model, sweep)
    ratio = spent.clock / run.clock
    print(f"a full run at the middle layer: {run.clock:.1f} s; ratio {ratio:.2f}")
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 1e9
        print(f"{torch.cuda.get_device_name()}, peak memory {peak:.1f} GB")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.layers", description=__doc__)
    parser.add_argument("--shape", choices=["builtin", *SHAPES], default="builtin")
    parser.add_argument("--kept", type=Path, help="also search; where its rows are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.threads} CPU threads, torch {torch.__version__}")
    builtin(options) if options.shape == "builtin" else shaped(options)


if __name__ == "__main__":
    main()
