"""One command for a GPU: `python -m bench.gpu`, at most nine minutes on an H100.

The engine against the plain bfloat16 loop and against the published way (float32, whole forward)
on the shape of Llama-3-8B; the same within 24 and 12 GB; a sweep of all layers; the share of the
card's peak in the layers above the edit; and the shape of a 72B model whose lower layers are made
as they are needed. Writes a Markdown table and JSON. Without a GPU all of it is done on small
shapes, to see that it works: such rows say that nothing was measured.
"""

import argparse
import gc
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.locft import engine_run, peak_gb, timed
from bench.made import made_model
from bench.plain import plain_run
from bench.subjects import SHAPES, random_facts, random_model
from workbench.facts.fact import Fact
from workbench.methods.arithmetic import epoch_flops, passed_weights
from workbench.methods.events import EpochDone
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.location import parse_locations
from workbench.model.memory import is_out_of_memory
from workbench.search.sweep import Sweep
from workbench.search.sweep_settings import SweepSettings

Add = Callable[[str, Callable[[], Iterator["Row"]]], None]

TOKENS, TARGETS = 32, 4  # of each fact
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40": 181e12, "4090": 165e12}
"""Operations a second in bfloat16, without sparsity, by what a card's name has in it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is.

    Args:
        shape, layer, facts, epochs: of the edit.
        few: facts of the slow ways, whose time is taken for each fact.
        swept: facts of the sweep.
        large, large_layer, large_facts: of the model that is larger than the card.
        memories: within which the edit is done again.
    """

    shape: str
    layer: int
    facts: int
    epochs: int
    few: int
    swept: int
    large: str
    large_layer: int
    large_facts: int
    memories: tuple[str, ...]


WHOLE = Scale("llama-3-8b", 22, 3000, 5, 300, 64, "qwen2.5-72b", 60, 1000, ("24GB", "12GB"))
SMALL = Scale("tiny", 5, 60, 2, 20, 6, "tiny", 5, 40, ("8MB",))


@dataclass(frozen=True, slots=True)
class Row:
    """One number.

    Args:
        what: it is of.
        value: None where it could not be had.
        unit: of it.
        aim: what it should be, in words.
        note: how it was come by, or why it was not.
    """

    what: str
    value: float | None
    unit: str
    aim: str = ""
    note: str = ""


def settings_at(layer: int, epochs: int) -> EditSettings:
    """As published, all epochs."""
    how: dict[str, Any] = {"forms": ("raw",), "keep": 0.0, "skip_loss": 0.0, "stop_loss": 0.0}
    return EditSettings(
        at=(f"{layer}.mlp.down_proj",), learning_rate=5e-4, batch_size=100, epochs=epochs, **how
    )


def engine_rows(model: LanguageModel, scale: Scale, facts: list[Fact]) -> Iterator[Row]:
    """The engine's time and memory, the plain loop's, and the published way's."""
    device, settings = model.device, settings_at(scale.layer, scale.epochs)
    engine_run(model, facts[: scale.few], settings)  # warms up
    seconds, _ = timed(device, lambda: engine_run(model, facts, settings))
    ours = 1000 * seconds / len(facts)
    yield Row("an edit", ours, "ms", "at most 15", f"{scale.epochs} epochs, capture included")
    yield Row("most memory", peak_gb(device), "GB", "at most 24")
    few, once = facts[: scale.few], settings_at(scale.layer, 1)
    for what, dtype, aim in (("plain", None, "2.5"), ("published", torch.float32, "12")):
        theirs = plain_ms(model, few, once, dtype) * scale.epochs
        note = f"an epoch of {len(few)} facts, times {scale.epochs}"
        yield Row(f"an edit, the {what} way", theirs, "ms", note=note)
        yield Row(f"times faster than the {what} way", theirs / ours, "times", f"at least {aim}")


def plain_ms(
    model: LanguageModel, facts: list[Fact], settings: EditSettings, dtype: torch.dtype | None
) -> float:
    """Milliseconds a fact of the loop that people write, in another dtype where one is named."""
    own, resolved = model.dtype, settings.resolved(model.preset, len(facts))
    if dtype is not None:
        model.network.to(dtype)
    try:
        seconds, _ = timed(model.device, lambda: plain_run(model, facts, resolved))
    finally:  # also where it did not fit: what is measured next is measured in its own dtype
        model.network.to(own)
    return 1000 * seconds / len(facts)


def peak_share(model: LanguageModel, scale: Scale, facts: list[Fact]) -> Iterator[Row]:
    """What of the card's arithmetic the layers above the edit use."""
    run = LocftRun(model, facts, settings_at(scale.layer, 3), watch=False)
    ends = [event.seconds for event in run.events() if isinstance(event, EpochDone)]
    tuned = sum(w.numel() for w in model.weights_at(parse_locations(run.settings.at)).values())
    head = model.network.get_output_embeddings().weight.numel()
    passed = passed_weights(model)[scale.layer :]
    tokens, targets = len(facts) * (TOKENS - 1), len(facts) * TARGETS
    flops = epoch_flops(passed, tokens, tuned=tuned, head=head, targets=targets)
    rate = flops / (ends[-1] - ends[-2])
    yield Row("arithmetic above the edit", rate / 1e12, "TFLOP/s", note="an epoch, head included")
    name = torch.cuda.get_device_name() if model.device.type == "cuda" else ""
    top = next((peak for part, peak in PEAKS.items() if part in name), None)
    share = 100 * rate / top if top is not None else None
    yield Row("of the card's peak", share, "%", "at least 40", name or "no GPU")


def swept(model: LanguageModel, scale: Scale, facts: list[Fact]) -> Iterator[Row]:
    """A sweep of one matrix in all layers."""
    settings = SweepSettings(modules=("mlp.down_proj",), sample=scale.swept, full_runs=0)
    few = facts[: scale.swept]
    seconds, _ = timed(model.device, lambda: [0.0 for _ in Sweep(model, few, settings).events()])
    what = f"a sweep of {model.layer_count} layers, {len(few)} facts"
    yield Row(what, seconds, "s", "at most 60")


def within(
    folder: Path, memory: str, device: str, scale: Scale, facts: list[Fact]
) -> Iterator[Row]:
    """An edit within less memory than the model takes."""
    model = load_model(str(folder), device=device, dtype="bfloat16", memory=memory)
    settings = settings_at(scale.layer, scale.epochs)
    seconds, _ = timed(model.device, lambda: engine_run(model, facts, settings))
    peak, told = peak_gb(model.device), model.placement.told_of_steps(scale.layer)
    note = f"{told} Most memory: {peak:.1f} GB." if peak is not None else told
    yield Row(f"an edit within {memory}", 1000 * seconds / len(facts), "ms", note=note)


def larger(device: torch.device, scale: Scale) -> Iterator[Row]:
    """An edit of a model that is larger than the card, layers below it made as they are needed."""
    model = made_model(scale.large, device, scale.large_layer)
    facts = random_facts(scale.large_facts, SHAPES[scale.large].vocab_size, TOKENS, TARGETS)
    settings = settings_at(scale.large_layer, scale.epochs)
    seconds, _ = timed(device, lambda: engine_run(model, facts, settings))
    what = f"an edit of {scale.large} at layer {scale.large_layer}"
    yield Row(what, 1000 * seconds / len(facts), "ms", note=model.placement.told())
    yield Row(f"most memory of {scale.large}", peak_gb(device), "GB", "at most 80")


def gathered(device: torch.device, scale: Scale) -> list[Row]:
    """All rows, one thing after another; what does not fit says so."""
    rows: list[Row] = []

    def add(what: str, work: Callable[[], Iterator[Row]]) -> None:
        gc.collect()  # what is in nobody's hands any more shall not count as this work's memory
        if device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            rows.extend(work())
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            rows.append(Row(what, None, "", note="did not fit"))

    facts = random_facts(scale.facts, SHAPES[scale.shape].vocab_size, TOKENS, TARGETS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        resident(device, scale, facts, folder, add)
        for memory in scale.memories:
            again = partial(within, folder, memory, str(device), scale, facts)
            add(f"an edit within {memory}", again)
    add(f"an edit of {scale.large}", partial(larger, device, scale))
    return rows


def resident(device: torch.device, scale: Scale, facts: list[Fact], folder: Path, add: Add) -> None:
    """What is measured of a model that is on the card as a whole; leaves it in a folder."""
    model = random_model(scale.shape, str(device), torch.bfloat16)
    add("an edit", partial(engine_rows, model, scale, facts))
    add("arithmetic above the edit", partial(peak_share, model, scale, facts))
    add("a sweep", partial(swept, model, scale, facts))
    model.network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)


def as_table(rows: list[Row], measured: bool) -> str:
    """The rows as Markdown."""
    lines = ["| what | value | aim | how |", "| --- | ---: | --- | --- |"]
    for row in rows:
        value = "–" if row.value is None or not math.isfinite(row.value) else f"{row.value:,.3g}"
        note = row.note if measured else f"not measured: a small shape on a CPU. {row.note}"
        lines.append(f"| {row.what} | {value} {row.unit} | {row.aim} | {note.strip()} |")
    return "\n".join(lines)


def main() -> None:
    """Runs everything, writes ``gpu.md`` and ``gpu.json``, and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-gpu"))
    parser.add_argument("--small", action="store_true", help="small shapes, on a GPU too")
    asked = parser.parse_args()
    has_gpu = torch.cuda.is_available()
    measured = has_gpu and not asked.small
    device = torch.device("cuda", 0) if has_gpu else torch.device("cpu")
    rows = gathered(device, WHOLE if measured else SMALL)
    where = torch.cuda.get_device_name(device) if has_gpu else "a CPU"
    head = f"{datetime.now(UTC):%Y-%m-%d}, {where}, torch {torch.__version__}"
    asked.out.mkdir(parents=True, exist_ok=True)
    table = f"{head}\n\n{as_table(rows, measured)}\n"
    (asked.out / "gpu.md").write_text(table, encoding="utf-8")
    record = {"about": head, "measured": measured, "rows": [asdict(row) for row in rows]}
    (asked.out / "gpu.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
