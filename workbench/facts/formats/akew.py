"""AKEW: CounterFact's, MQuAKE's and Wikipedia's updates, each also as a text and as triplets.

The structured edit is the fact, as in CounterFact and MQuAKE. The texts (`fact_new_uns`) and the
triplets drawn from them say the same in another way, for other editors; they are left out with a
word. `question` asks for the same answer in other words.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from workbench.facts.formats.counterfact import COUNTERFACT
from workbench.facts.formats.mquake import MQUAKE
from workbench.facts.formats.nested import named
from workbench.facts.layout import Cells, Format, Layout, Parts
from workbench.facts.problems import Problem

__all__ = ["AKEW"]

NAME = "AKEW"
_MARKS = frozenset({"fact_new_uns", "unsfact_triplets_GPT"})
_LEFT_OUT = Problem(
    0,
    "requested_rewrite",
    "Each edit is read as a prompt and an answer, and not as a text (fact_new_uns) or as triplets.",
    "Read the texts as a table of your own if they are what should be learned.",
    "warning",
    "left out",
)


def _fits(_: AbstractSet[str], sample: Cells) -> bool:
    return any(_MARKS & rewrite.keys() for rewrite in _rewrites(sample))


def _rewrites(cells: Cells) -> list[Mapping[str, Any]]:
    value = cells.get("requested_rewrite")
    found = value if isinstance(value, list) else [value]
    return [rewrite for rewrite in found if isinstance(rewrite, Mapping)]


def _layout(names: AbstractSet[str]) -> Layout:
    one, several = COUNTERFACT.layout(names), MQUAKE.layout(names)

    def split(cells: Cells) -> list[Parts]:
        value = cells.get("requested_rewrite")
        if isinstance(value, list):
            return list(several.pick(cells))
        rewrite = named(value, "", "requested_rewrite")
        (parts,) = one.pick(cells)
        paraphrases = parts.get("rephrase_prompts")
        asked = [rewrite.get("question")]
        asked += paraphrases if isinstance(paraphrases, list) else [paraphrases]
        target = parts.get("target_new")
        return [
            {
                **parts,
                "prompt": parts.get("prompt") or rewrite.get("prompt_full"),
                "target_new": rewrite.get("answer_new") if target is None else target,
                "rephrase_prompts": [text for text in asked if text is not None],
            }
        ]

    base = several if "questions" in names else one
    used = one.used | several.used
    return replace(base, name=NAME, split=split, used=used, notes=(_LEFT_OUT,))


AKEW = Format(NAME, _fits, _layout)
