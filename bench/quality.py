"""What holds after an edit, lever by lever: `python -m bench.quality --facts FILE`.

The real model (the extra ``real``), or the one that `--model` names. Each recipe edits the same
facts with the same seeds; what is counted was never trained on, but for the prompts themselves.
"""

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.real import english_loss, machine
from workbench.facts.fact import Fact
from workbench.facts.forms import FORMS, Form
from workbench.facts.read import read_facts
from workbench.measure.strict import strict_matches
from workbench.methods.edit import edit
from workbench.model.forms import tokenize_form
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.real import REAL
from workbench.model.tokens import TokenTable, tokenize

EVERYWHERE = ("raw:2", "question", "chat")
RECIPES: dict[str, dict[str, Any]] = {
    "published": {},
    "forms": {"forms": EVERYWHERE},
    "keep": {"keep": 1.0},
    "forms and keep": {"forms": EVERYWHERE, "keep": 1.0},
}

Values = dict[str, float]


def share(found: Sequence[bool]) -> float:
    """The share that is true."""
    return sum(found) / len(found) if found else float("nan")


def in_form(model: LanguageModel, facts: Sequence[Fact], form: Form) -> float:
    """Share of the facts that are right in a form, every token and the end (strict)."""
    texts = TokenTable(tokenize_form(model.tokenizer, facts, form, model.longest), model.device)
    return share(strict_matches(model, texts))


def rephrased(model: LanguageModel, facts: Sequence[Fact]) -> float:
    """Share of the held-out rephrases that are right (strict)."""
    pairs = [(prompt, fact.target_new) for fact in facts for prompt in fact.rephrase_prompts]
    if not pairs:
        return float("nan")
    prompts, targets = zip(*pairs, strict=True)
    return share(
        strict_matches(model, TokenTable(tokenize(model.tokenizer, prompts, targets), model.device))
    )


def first_tokens(model: LanguageModel, facts: Sequence[Fact]) -> list[str]:
    """What the neighbours are answered with first."""
    prompts = [question.prompt for fact in facts for question in fact.locality_prompts]
    return [a.top[0][0] for a in generate(model, prompts, max_new_tokens=1, top_k=1)]


def tried(model: LanguageModel, facts: Sequence[Fact], recipe: dict[str, Any], seed: int) -> Values:
    """One recipe on some facts."""
    neighbours, english = first_tokens(model, facts), english_loss(model)
    clock, cpu = time.perf_counter(), time.process_time()
    result = edit(model, facts, seed=seed, **recipe)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    with result.patch.applied(model):
        values: Values = {form: in_form(model, facts, form) for form in FORMS}
        values["rephrased"] = rephrased(model, facts)
        now = first_tokens(model, facts)
        values["neighbours"] = share([a == b for a, b in zip(neighbours, now, strict=True)])
        values["English"] = english_loss(model) - english
    return values | {"epochs": len(result.losses), "seconds": clock, "CPU s": cpu}


def spread(values: Sequence[float]) -> str:
    """A mean with the smallest and the largest value."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def main() -> None:
    """Prints one row for each recipe."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs=2, default=(400, 900), help="from, to")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default=REAL)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recipes", nargs="*", choices=list(RECIPES), default=list(RECIPES))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine(options.threads), flush=True)
    model = load_model(options.model, device="cpu")
    known = list(read_facts(options.facts).facts)[slice(*options.rows)]
    draws = [
        random.Random(seed).sample(known, min(options.count, len(known)))
        for seed in range(options.seeds)
    ]
    head: list[str] = []
    for name in options.recipes:
        found = [tried(model, facts, RECIPES[name], seed) for seed, facts in enumerate(draws)]
        if not head:
            head = list(found[0])
            print(f"| recipe | {' | '.join(head)} |\n| --- |{' ---: |' * len(head)}")
        cells = [spread([values[key] for values in found]) for key in head]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
