"""What is left of an edit where people run it: `python -m bench.ship`.

One edit of SmolLM2-135M-Instruct, written in every form, and each form asked in its own runtime:
the full model in transformers, GGUF files in llama.cpp, the adapter with peft. A fact is kept when
the answer, written greedily, is the new one and ends there. `--facts FILE` takes facts of your own.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
import transformers

from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.model.real import REAL
from workbench.paths import assets_dir
from workbench.ship.export import shipping
from workbench.ship.export_settings import ExportSettings
from workbench.ship.result import ExportResult
from workbench.ship.verify import verifying
from workbench.ship.verify_settings import VerifySettings
from workbench.work.events import follow
from workbench.work.words import size

FACTS = 100
TYPES = ("f16", "q8_0", "q5_1", "q4_1", "q4_0")


def told(result: ExportResult) -> str:
    """What was written, in a few words."""
    if result.form == "gguf":
        return f"GGUF, edited tensor as {result.told['type']}"
    if result.form == "adapter":
        return f"adapter of rank {result.told['rank']}"
    return f"full model, {result.told['dtype']}"


def row(name: str, large: str, runtime: str, kept: str, others: str, seconds: float) -> None:
    """Prints a row of the table."""
    print(f"| {name} | {large} | {runtime} | {kept} | {others} | {seconds:.0f} |", flush=True)


def asked(path: Path, facts: Sequence[Fact]) -> str:
    """How many facts hold in what was written, asked anew from its files."""
    found = follow(verifying(str(path), facts, VerifySettings(forms=("raw",))))
    return str(found.forms[0].strict)


def written(
    model: LanguageModel, patch: Patch, facts: Sequence[Fact], folder: Path, **settings: object
) -> None:
    """Writes one form and prints its row."""
    began = time.perf_counter()
    chosen = ExportSettings.from_dict(settings)
    out = folder / "out.gguf" if chosen.form == "gguf" else folder / str(chosen.form)
    result = follow(shipping(model, patch, out, facts, chosen))
    # A GGUF file was asked in llama.cpp when it was written.
    in_gguf = result.facts if result.form == "gguf" else None
    kept = str(in_gguf.after) if in_gguf is not None else asked(out, facts)
    others = f"{result.others.before} → {result.others.after}" if result.others else ""
    seconds = time.perf_counter() - began
    row(told(result), size(result.bytes), result.runtime, kept, others, seconds)
    for note in result.notes:
        print(f"<!-- {note} -->")
    if out.is_file():
        out.unlink()


def main() -> None:
    """Edits, writes, asks, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=Path, default=assets_dir() / "samples" / "facts_200.csv")
    parser.add_argument("--count", type=int, default=FACTS)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    facts = list(read_facts(given.facts).facts)[: given.count]
    model = load_model(REAL, device="cpu")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {given.threads} thread, Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers "
        f"{transformers.__version__}. {len(facts)} facts of {given.facts.name}.\n"
    )
    began = time.perf_counter()
    run = edit(model, facts)
    print("| what | size | asked in | facts kept | others right | s |")
    print("| --- | ---: | --- | ---: | --- | ---: |")
    took = time.perf_counter() - began
    patch = run.patch
    place = ", ".join(patch.metadata["at"])
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        patch.save(folder / "patch")
        held = asked(folder / "patch", facts)
        row(f"patch at {place}", size(4 * patch.weights), "the workbench", held, "", took)
        written(model, patch, facts, folder, form="full")
        for kind in TYPES:
            written(model, patch, facts, folder, form="gguf", tensor_type=kind)
        written(model, patch, facts, folder, form="gguf")
        written(model, patch, facts, folder, form="adapter")


if __name__ == "__main__":
    main()
