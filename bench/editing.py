"""Where and how the built-in model takes edits: `python -m bench.editing`.

Three tables over the sample facts: one run at each layer, one at each matrix of the preset's
layer, and breadth-first against depth-first with the same passes over each fact. All numbers are
by the strict protocol.
"""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import torch

from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure.evaluate import evaluate
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.paths import assets_dir

MEASURES = ("reliability_strict", "generalization_strict", "locality_strict")


def table(
    model: LanguageModel, facts: Sequence[Fact], name: str, runs: dict[str, dict[str, Any]]
) -> str:
    """A Markdown table with a row for each run.

    Args:
        model: the base.
        facts: what every run compiles.
        name: what tells the rows apart.
        runs: settings by the row's name.
    """
    lines = [
        f"| {name} | reliability | generalization | locality | steps | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for label, settings in runs.items():
        start = time.perf_counter()
        result = edit(model, facts, **settings)
        seconds = time.perf_counter() - start
        after = evaluate(model, facts, result.patch).as_dict()["after"]
        cells = " | ".join(f"{after[measure]:.2f}" for measure in MEASURES)
        lines.append(f"| {label} | {cells} | {result.finished.steps} | {seconds:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.editing", description=__doc__)
    parser.add_argument("--facts", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_model("builtin", device="cpu")
    facts = read_facts(assets_dir() / "samples" / "facts_200.csv").facts[: options.facts]
    (preset,) = model.preset.at
    layer = preset.split(".")[0]
    layers: dict[str, dict[str, Any]] = {
        str(i): {"at": f"{i}.mlp.down_proj"} for i in range(model.layer_count)
    }
    matrices: dict[str, dict[str, Any]] = {
        name: {"at": f"{layer}.{name}"} for name in model.layers.matrices()
    }
    passes: dict[str, Any] = {"epochs": 25}
    pipelines: dict[str, dict[str, Any]] = {
        "breadth-first, batch 12": passes | {"batch_size": 12},
        "breadth-first, batch 1": passes | {"batch_size": 1, "learning_rate": 5e-4},
        "depth-first, batch 12": passes | {"batch_size": 12, "pipeline": "depth-first"},
        "depth-first, batch 1": passes | {"batch_size": 1, "pipeline": "depth-first"},
        "depth-first, batch 1, a tenth of the rate": passes
        | {"batch_size": 1, "pipeline": "depth-first", "learning_rate": 5e-4},
    }
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.threads} CPU threads, {len(facts)} facts\n")
    print(table(model, facts, "layer's mlp.down_proj", layers) + "\n")
    print(table(model, facts, f"matrix of layer {layer}", matrices) + "\n")
    print(table(model, facts, "pipeline", pipelines))


if __name__ == "__main__":
    main()
