"""Predicted against happened: `python -m bench.predictions`.

Twelve runs of a real model, or of another one: at three depths, with few and more facts, as
published and as recipe holds. Before each, the estimate that the page shows is made; then the run
goes through all its epochs. Time is that of the run without its check of what was learned; memory
is the most that the process (on CUDA: the device) held more than before. On Linux the C library is
told to give back what is freed, as far as it is large, so that what it keeps for later does not
count; `--as-it-is` leaves that out. `--cpu-clock` counts CPU time instead of the wall's, for a
machine that has other things to do.
"""

import argparse
import ctypes
import gc
import math
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import psutil
import torch
import transformers

from bench.subjects import false_facts
from workbench.methods.estimate import estimate
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.real import REAL

DEPTHS = (0.4, 0.7, 0.97)
SIZES = (8, 32)
RECIPES = ("published", "holds")
EVERY = 0.005  # seconds between two looks at what the process holds
WITHIN = 0.2
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h numbers them


@dataclass(frozen=True, slots=True)
class Row:
    """One run: what was foretold and what happened, in seconds and bytes."""

    at: str
    facts: int
    recipe: str
    seconds: tuple[float, float]
    memory: tuple[int, int]

    @property
    def off(self) -> tuple[float, float]:
        """What happened relative to what was foretold, less 1, for time and memory."""
        return tuple(found / told - 1 for told, found in (self.seconds, self.memory))  # type: ignore[return-value]


def give_back_freed() -> None:
    """What is freed goes back to the system at once, down to 128 kB, on Linux."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        for what in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(what, 128 * 1024)


@contextmanager
def peak(device: torch.device) -> Iterator[Callable[[], int]]:
    """A block whose most bytes, beyond those at its beginning, the function says at its end."""
    gc.collect()
    with suppress(OSError, AttributeError):  # what was freed before is given back, on Linux
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
        return
    process, over = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def look() -> None:
        nonlocal most
        while not over.wait(EVERY):
            most = max(most, process.memory_info().rss)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: most - before
    finally:
        over.set()
        thread.join()


def compared(model: LanguageModel, at: str, facts: int, recipe: str, epochs: int) -> Row:
    """One run, foretold and made.

    Args:
        model: the base.
        at: where it is tuned.
        facts: how many.
        recipe: by which it trains.
        epochs: all of which it goes through.
    """
    asked = false_facts(facts)
    settings = EditSettings.from_dict(
        {"at": at, "recipe": recipe, "epochs": epochs, "stop_loss": 0.0, "skip_loss": 0.0}
    )
    told = estimate(model, asked, settings)
    assert told is not None  # nobody asks for its end
    with peak(model.device) as most:
        began = time.perf_counter()
        run = LocftRun(model, asked, settings)
        for _ in run.events():
            pass
        if model.device.type == "cuda":
            torch.cuda.synchronize(model.device)
        seconds = time.perf_counter() - began
        held = most()
    return Row(at, facts, recipe, (told.seconds, seconds), (told.plan.memory_bytes, held))


def places_of(model: LanguageModel) -> list[str]:
    """The preset's matrix at some depths."""
    module = model.preset.at[0].partition(".")[2]
    layers = sorted({math.floor(share * model.layer_count) for share in DEPTHS})
    return [f"{layer}.{module}" for layer in layers]


def as_table(rows: Sequence[Row]) -> str:
    """All runs as Markdown, and how many were foretold within 20%."""
    lines = [
        "| place | facts | recipe | s, foretold | s | off | MB, foretold | MB | off |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        time_off, memory_off = row.off
        seconds = " | ".join(f"{value:.1f}" for value in row.seconds)
        memory = " | ".join(f"{value / 1e6:.0f}" for value in row.memory)
        lines.append(
            f"| {row.at} | {row.facts} | {row.recipe} | {seconds} | {time_off:+.0%} | {memory} | "
            f"{memory_off:+.0%} |"
        )
    for number, what in enumerate(("time", "memory")):
        near = sum(abs(row.off[number]) <= WITHIN for row in rows)
        lines.append(f"\nWithin 20% in {what}: {near} of {len(rows)}.")
    return "\n".join(lines)


def main() -> None:
    """Makes the runs and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictions", description=__doc__)
    parser.add_argument("--model", default=REAL)
    parser.add_argument("--device", default=None)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--cpu-clock", action="store_true")
    parser.add_argument("--as-it-is", action="store_true")
    parser.add_argument("--facts", type=int, nargs="+", default=SIZES)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    asked = parser.parse_args()
    if not asked.as_it_is:
        give_back_freed()
    if asked.cpu_clock:
        time.perf_counter = time.process_time
    model = load_model(asked.model, device=asked.device)
    print(
        f"{model.name}, {model.device}, {asked.epochs} epochs, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, {platform.processor() or platform.machine()}, "
        f"{datetime.now(UTC):%Y-%m-%d}\n"
    )
    rows: list[Row] = []
    for at, facts, recipe in product(places_of(model), asked.facts, asked.recipes):
        rows.append(compared(model, at, facts, recipe, asked.epochs))
        print(rows[-1], file=sys.stderr, flush=True)
    print(as_table(rows))


if __name__ == "__main__":
    main()
