"""The engine against the plain loop: `python -m bench.locft`.

Both do the same updates on the same facts, in turns, in one process; capture of the hidden
states is part of the engine's time. `--against published` holds the whole model in float32, as
the published script does; `--against plain` keeps the engine's dtype.
"""

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import torch

from bench.plain import plain_run
from bench.subjects import SHAPES, false_facts, random_facts, random_model
from workbench.facts.fact import Fact
from workbench.methods.events import BatchDone
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model


@dataclass(frozen=True, slots=True)
class Row:
    """One location's comparison: median seconds of each, their ratio, how far losses differ."""

    at: str
    engine_seconds: float
    other_seconds: float
    ratio: float
    loss_difference: float
    engine_memory_gb: float | None
    other_memory_gb: float | None


def timed(device: torch.device, work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Seconds that `work` takes, the device's queue included, and what it returns."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    start = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, result


def peak_gb(device: torch.device) -> float | None:
    """Most gigabytes that were allocated since the last `timed` began; None off CUDA."""
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None


def engine_run(model: LanguageModel, facts: Sequence[Fact], settings: EditSettings) -> list[float]:
    """The engine's run; returns the loss of every batch."""
    run = LocftRun(model, facts, settings)
    return [event.loss for event in run.events() if isinstance(event, BatchDone)]


def compare(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: EditSettings,
    repeats: int,
    published: bool,
) -> Row:
    """Times both, in turns; the first turn of each warms up and is not counted."""
    dtype = model.dtype
    ours, theirs, difference = [], [], 0.0
    our_peak = their_peak = None
    for turn in range(repeats + 1):
        seconds, losses = timed(model.device, lambda: engine_run(model, facts, settings))
        our_peak = peak_gb(model.device)
        if published:
            model.network.float()
        other_seconds, other = timed(model.device, lambda: plain_run(model, facts, settings))
        their_peak = peak_gb(model.device)
        if published:
            model.network.to(dtype)
        if turn > 0:
            ours.append(seconds)
            theirs.append(other_seconds)
            pairs = zip(losses, other, strict=True)
            difference = max(difference, *(abs(a - b) for a, b in pairs))
    engine_seconds, other_median = statistics.median(ours), statistics.median(theirs)
    return Row(
        settings.at[0],
        engine_seconds,
        other_median,
        other_median / engine_seconds,
        difference,
        our_peak,
        their_peak,
    )


def as_table(rows: Sequence[Row], other: str) -> str:
    """The comparison as a Markdown table."""
    memory = any(row.engine_memory_gb is not None for row in rows)
    head = f"| location | engine, s | {other}, s | ratio | largest difference of a loss |"
    line = "| --- | --- | --- | --- | --- |"
    if memory:
        head, line = head + f" engine, GB | {other}, GB |", line + " --- | --- |"
    lines = [head, line]
    for row in rows:
        cells = (
            f"| {row.at} | {row.engine_seconds:.2f} | {row.other_seconds:.2f} "
            f"| {row.ratio:.2f}x | {row.loss_difference:.1e} |"
        )
        if memory:
            cells += f" {row.engine_memory_gb:.1f} | {row.other_memory_gb:.1f} |"
        lines.append(cells)
    return "\n".join(lines)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.locft", description=__doc__)
    parser.add_argument("--shape", choices=["builtin", *SHAPES], default="builtin")
    parser.add_argument("--against", choices=["plain", "published"], default="plain")
    parser.add_argument("--layers", type=int, nargs="+", help="default: three quarters and last")
    parser.add_argument("--facts", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default=None)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main() -> None:
    """Runs the comparison and prints its table."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.shape == "builtin":
        model = load_model("builtin", device=options.device)
        facts = false_facts(options.facts)
    else:
        device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        model = random_model(options.shape, device, torch.bfloat16)
        facts = random_facts(options.facts, SHAPES[options.shape].vocab_size)
    count = model.layer_count
    rows = []
    for layer in options.layers or [round(0.75 * count), count - 1]:
        settings = EditSettings(
            at=(f"{layer}.mlp.down_proj",),
            learning_rate=5e-4,
            batch_size=options.batch_size,
            epochs=options.epochs,
            skip_loss=0.0,
            stop_loss=0.0,
        )
        published = options.against == "published"
        rows.append(compare(model, facts, settings, options.repeats, published))
        print(f"{rows[-1].at}: {rows[-1].ratio:.2f}x", file=sys.stderr)
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    cuda = model.device.type == "cuda"
    where = torch.cuda.get_device_name(model.device) if cuda else f"{options.threads} CPU thread"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {where}, {platform.machine()}, torch {torch.__version__}")
    print(f"{len(facts)} facts, {options.epochs} epochs, batch {options.batch_size}\n")
    print(as_table(rows, options.against))


if __name__ == "__main__":
    main()
