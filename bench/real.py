"""A real model through the workbench: `python -m bench.real`.

SmolLM2-135M-Instruct (the extra ``real``): how long it takes to load, to keep hidden states and to
edit 20 facts, and what the edit does: learned, rephrased, asked in chat, neighbours, English. With
everything automatic; every seed draws other facts. `--facts FILE` takes facts of your own.
"""

import argparse
import math
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil
import torch
import transformers

from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure.evaluate import evaluate
from workbench.measure.health import perplexity
from workbench.methods.edit import EditResult, edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.model.real import REAL, packaged_file, real_model_dir
from workbench.model.states import advance
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.paths import assets_dir

FACTS = 20
CHAT_TOKENS = 48
MEASURES = {
    "learned (strict)": "reliability_strict",
    "learned (generated)": "reliability_generated",
    "rephrased (strict)": "generalization_strict",
    "rephrased (generated)": "generalization_generated",
    "neighbours' answers unchanged (generated)": "locality_generated",
}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Trial:
    """What one edit took and did.

    Args:
        epochs: that it ran.
        clock, cpu: seconds.
        values: by the name of the measure, before and after.
    """

    epochs: int
    clock: float
    cpu: float
    values: dict[str, tuple[float | None, float | None]]


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What some work gives, its seconds on the clock and of the CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - cpu


def chat_share(model: LanguageModel, facts: Sequence[Fact]) -> float:
    """Share of the facts whose new answer stands in the reply to a question about them.

    The question is the first rephrase that is one, else the prompt.
    """
    asked = [
        next((text for text in fact.rephrase_prompts if text.rstrip().endswith("?")), fact.prompt)
        for fact in facts
    ]
    replies = generate(model, asked, chat=True, max_new_tokens=CHAT_TOKENS, top_k=1)
    hits = [
        any(f" {plain_answer(wanted)} " in f" {plain_answer(reply.text)} " for wanted in f.accepted)
        for f, reply in zip(facts, replies, strict=True)
    ]
    return sum(hits) / len(hits)


def english_loss(model: LanguageModel) -> float:
    """Loss per token on the English text that ships with the workbench."""
    text = (assets_dir() / "health" / "english.txt").read_text(encoding="utf-8")
    return math.log(perplexity(model, [line for line in text.splitlines() if line.strip()]))


def both(
    model: LanguageModel, patch: Patch, measure: Callable[[], float]
) -> tuple[float | None, float | None]:
    """A number of the base, and of the edited model."""
    before = measure()
    with patch.applied(model):
        return before, measure()


def tried(model: LanguageModel, facts: Sequence[Fact], seed: int) -> Trial:
    """Edits facts with everything automatic, and measures."""
    result: EditResult
    result, clock, cpu = timed(lambda: edit(model, facts, seed=seed))
    found = evaluate(model, facts, result.patch, seed=seed).as_dict()
    values = {
        told: (found["before"].get(name), found["after"].get(name))
        for told, name in MEASURES.items()
    }
    values["asked in chat"] = both(model, result.patch, lambda: chat_share(model, facts))
    values["loss of English text"] = both(model, result.patch, lambda: english_loss(model))
    return Trial(len(result.losses), clock, cpu, values)


def spread(values: Sequence[float | None]) -> str:
    """A mean with the smallest and the largest value."""
    there = [value for value in values if value is not None]
    if not there:
        return "–"
    return f"{statistics.mean(there):.2f} ({min(there):.2f}–{max(there):.2f})"


def machine(threads: int) -> str:
    """Where and when this is measured."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {psutil.cpu_count()} cores, load "
        f"{load:.1f} at the start, {threads} CPU threads, Python {platform.python_version()}, "
        f"torch {torch.__version__}, transformers {transformers.__version__}, float32"
    )


def times(facts: Sequence[Fact], from_gguf: bool) -> tuple[LanguageModel, list[str]]:
    """The model, and what loading it and keeping states took, as rows."""
    rows = []
    file = packaged_file()
    if from_gguf and file is not None:
        _, clock, cpu = timed(lambda: load_model(str(file), device="cpu"))
        rows.append(f"| load the GGUF file | {clock:.1f} | {cpu:.1f} |")
    real_model_dir()
    model, clock, cpu = timed(lambda: load_model(REAL, device="cpu"))
    rows.append(f"| load the folder made of it | {clock:.1f} | {cpu:.1f} |")
    (where,) = parse_locations(model.preset.at)
    texts = TokenTable(tokenize_facts(model.tokenizer, facts, model.longest), model.device)
    states, clock, cpu = timed(lambda: advance(model, texts, None, where.layer))
    rows.append(
        f"| keep the states of {len(facts)} facts at layer {where.layer} of {model.layer_count} "
        f"({states.flat.shape[0]} tokens) | {clock:.1f} | {cpu:.1f} |"
    )
    return model, rows


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.real", description=__doc__)
    parser.add_argument("--facts", type=Path, help="facts of your own")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-gguf", action="store_true", help="do not time the GGUF file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine(options.threads), flush=True)
    known = read_facts(options.facts or assets_dir() / "samples" / "facts_200.csv").facts
    model, rows = times(known, not options.no_gguf)
    trials = []
    for seed in range(options.seeds):
        drawn = random.Random(seed).sample(list(known), min(FACTS, len(known)))
        trials.append(tried(model, drawn, seed))
        print(f"seed {seed}: {trials[-1].clock:.1f} s", flush=True)
    rows.append(
        f"| edit {FACTS} facts at {model.preset.at[0]}, {spread([t.epochs for t in trials])} "
        f"epochs | {spread([t.clock for t in trials])} | {spread([t.cpu for t in trials])} |"
    )
    print("\n| what | seconds | of the CPU |\n| --- | ---: | ---: |", *rows, sep="\n")
    print("\n| measure | before | after |\n| --- | ---: | ---: |")
    for name in trials[0].values:
        before, after = zip(*(trial.values[name] for trial in trials), strict=True)
        print(f"| {name} | {spread(before)} | {spread(after)} |")


if __name__ == "__main__":
    main()
