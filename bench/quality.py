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
from workbench.facts.forms import ASKED_FORMS, Form, as_question
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
WORDED = (*EVERYWHERE, "rephrase:0.5")
PAPER: dict[str, Any] = {"recipe": "published"}
RECIPES: dict[str, dict[str, Any]] = {
    "published": PAPER,
    "forms": PAPER | {"forms": EVERYWHERE},
    "forms and rewordings": PAPER | {"forms": WORDED},
    "forms and prefixes": PAPER | {"forms": (*EVERYWHERE, "prefix:0.5")},
    "keep": PAPER | {"keep": 2.0},
    "spare": PAPER | {"spare": 1.0},
    "falling rate": PAPER | {"rate_schedule": "falling"},
    "forms and keep": PAPER | {"forms": EVERYWHERE, "keep": 2.0},
    "holds, not sparing": {"recipe": "holds", "spare": 0.0},
    "holds, no rewordings": {"recipe": "holds", "forms": EVERYWHERE},
    "holds, no focus": {"recipe": "holds", "focus": 0.0},
    "holds": {"recipe": "holds"},
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


def first_tokens(model: LanguageModel, facts: Sequence[Fact], *, asked: bool = False) -> list[str]:
    """What the neighbours are answered with first, as they stand or asked as a question."""
    prompts = [question.prompt for fact in facts for question in fact.locality_prompts]
    prompts = [as_question(prompt) for prompt in prompts] if asked else prompts
    return [a.top[0][0] for a in generate(model, prompts, max_new_tokens=1, top_k=1)]


def tried(model: LanguageModel, facts: Sequence[Fact], recipe: dict[str, Any], seed: int) -> Values:
    """One recipe on some facts."""
    before = [first_tokens(model, facts, asked=asked) for asked in (False, True)]
    english = english_loss(model)
    clock, cpu = time.perf_counter(), time.process_time()
    result = edit(model, facts, seed=seed, **recipe)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    with result.patch.applied(model):
        values: Values = {form: in_form(model, facts, form) for form in ASKED_FORMS}
        values["rephrased"] = rephrased(model, facts)
        for asked, name in enumerate(("neighbours", "neighbours as a question")):
            now = first_tokens(model, facts, asked=bool(asked))
            values[name] = share([a == b for a, b in zip(before[asked], now, strict=True)])
        values["English"] = english_loss(model) - english
    return values | {"epochs": len(result.losses), "seconds": clock, "CPU s": cpu}


def spread(values: Sequence[float]) -> str:
    """A mean with the smallest and the largest value."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def frontier(places: dict[str, list[Values]]) -> str:
    """A plot as SVG: how much of the neighbours stays, by how many rephrases are right.

    Args:
        places: for each recipe what was counted with each seed; a small dot each, a large one for
            their mean.
    """
    width, height, room = 560, 420, 60
    drawn = []

    def at(right: float, up: float) -> tuple[float, float]:
        return room + right * (width - 2 * room), height - room - up * (height - 2 * room)

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, low), (left, y) = at(tick, 0), at(0, tick)
        drawn += [
            f'<line x1="{x}" y1="{low}" x2="{x}" y2="{at(0, 1)[1]}" stroke="#d0d4dc"/>',
            f'<line x1="{left}" y1="{y}" x2="{at(1, 0)[0]}" y2="{y}" stroke="#d0d4dc"/>',
            f'<text x="{x}" y="{low + 18}" text-anchor="middle">{tick:g}</text>',
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>',
        ]
    for name, found in places.items():
        dots = [at(values["rephrased"], values["neighbours"]) for values in found]
        colour = {"published": "#b45309", "holds": "#0f766e"}.get(name, "#64748b")
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in dots]
        x, y = (statistics.mean(axis) for axis in zip(*dots, strict=True))
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{colour}" opacity=".8"/>')
        drawn.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}</text>')
    across, up = at(0.5, 0), at(0, 0.5)
    drawn += [
        f'<text x="{across[0]}" y="{height - 16}" text-anchor="middle">rephrases right</text>',
        f'<text transform="translate(18 {up[1]}) rotate(-90)" text-anchor="middle">'
        "neighbours unchanged</text>",
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="13" fill="#334155">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(drawn)}</svg>\n'
    )


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
    parser.add_argument("--plot", type=Path, help="an SVG of what is traded for what")
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
    places: dict[str, list[Values]] = {}
    for name in options.recipes:
        found = [tried(model, facts, RECIPES[name], seed) for seed, facts in enumerate(draws)]
        if not head:
            head = list(found[0])
            print(f"| recipe | {' | '.join(head)} |\n| --- |{' ---: |' * len(head)}")
        places[name] = found
        cells = [spread([values[key] for values in found]) for key in head]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if options.plot is not None:
        options.plot.write_text(frontier(places), encoding="utf-8")


if __name__ == "__main__":
    main()
