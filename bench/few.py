"""What a single fact leaves of its neighbours: `python -m bench.few --facts FILE`.

The real model (the extra ``real``), or the one that `--model` names. Each fact is an edit of its
own by the recipe ``holds``, with and without the lists of subjects (`assets/subjects`). Counted is
how many first tokens are the base's: of the fact's own locality prompts, of those of other facts,
and of the fact's prompt about subjects of other facts, none of which is in the lists.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from bench.quality import Values, first_tokens, in_form, rephrased, share
from bench.real import machine
from workbench.facts.fact import Fact, Question
from workbench.facts.forms import ASKED_FORMS
from workbench.facts.neighbours import neighbours
from workbench.facts.read import read_facts
from workbench.facts.subject_kinds import subject_kind
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.real import REAL
from workbench.paths import assets_dir

OTHERS = 24
NEIGHBOURS = "workbench.methods.kept_prompts.neighbours"


def without_lists(*args: Any, **named: Any) -> list[str]:
    """Neighbours about the subjects that somebody gave alone."""
    return neighbours(*args, **named | {"listed": False})


WAYS: dict[str, Callable[..., list[str]]] = {"without lists": without_lists, "lists": neighbours}


def every_listed() -> set[str]:
    """The subjects of all lists."""
    lists = (assets_dir() / "subjects").glob("*.txt")
    return {line for one in lists for line in one.read_text(encoding="utf-8").splitlines()}


def asked(fact: Fact, rest: Sequence[Fact]) -> dict[str, list[Fact]]:
    """The prompts whose first token is looked at, as locality prompts of some facts."""
    chance = random.Random(1)
    kind = {one.subject for one in rest if subject_kind(one) == subject_kind(fact)}
    new = sorted(kind - every_listed())
    other = chance.sample(new, min(OTHERS, len(new)))
    prompts = [Question(fact.prompt.replace(fact.subject, one)) for one in other]
    return {
        "its neighbours": [fact],
        "others' neighbours": chance.sample(list(rest), OTHERS),
        "its prompt, other subjects": [Fact(fact.prompt, "x", locality_prompts=tuple(prompts))],
    }


def tried(model: LanguageModel, fact: Fact, rest: Sequence[Fact]) -> Values:
    """One fact, edited in alone."""
    places = asked(fact, rest)
    before = {name: first_tokens(model, facts) for name, facts in places.items()}
    cpu = time.process_time()
    result = edit(model, [fact], recipe="holds")
    cpu = time.process_time() - cpu
    with result.patch.applied(model):
        values: Values = {form: in_form(model, [fact], form) for form in ASKED_FORMS}
        values["rephrased"] = rephrased(model, [fact])
        for name, facts in places.items():
            now = first_tokens(model, facts)
            values[name] = share([a == b for a, b in zip(before[name], now, strict=True)])
    return values | {"CPU s": cpu}


def main() -> None:
    """Prints one row with the lists, and one without."""
    parser = argparse.ArgumentParser(prog="python -m bench.few", description=__doc__)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs=2, default=(0, 400), help="from, to")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--model", default=REAL)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine(options.threads), flush=True)
    model = load_model(options.model, device="cpu")
    known = list(read_facts(options.facts).facts)[slice(*options.rows)]
    drawn = random.Random(0).sample(known, options.count)
    rest = [fact for fact in known if fact not in drawn]
    for name, way in WAYS.items():
        with patch(NEIGHBOURS, way):
            found = [tried(model, fact, rest) for fact in drawn]
        cells = [(key, statistics.mean(values[key] for values in found)) for key in found[0]]
        print(f"| {name} |", " | ".join(f"{key} {mean:.2f}" for key, mean in cells), flush=True)


if __name__ == "__main__":
    main()
