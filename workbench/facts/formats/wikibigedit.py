"""WikiBigEdit as published: the update, a rephrase, a persona's way to ask, and a second hop.

The persona asks for the same answer in other words, which makes it a rephrase; the second hop
(`mhop`) follows from the fact, which makes it portability.
"""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["WIKIBIGEDIT"]

NAME = "WikiBigEdit"
_COLUMNS = {
    "prompt": "update",
    "target_new": "ans",
    "subject": "subject",
    "ground_truth": "ground_truth",
    "rephrase_prompts": "rephrase",
    "locality_prompts": "loc",
    "locality_answers": "loc_ans",
    "portability_prompts": "mhop",
    "portability_answers": "mhop_ans",
}
_USED = frozenset(_COLUMNS.values()) | {"personas"}


def _fits(names: AbstractSet[str], _: Cells) -> bool:
    return names >= {"update", "ans"} and bool(names & {"rephrase", "personas", "mhop", "loc"})


def _split(cells: Cells) -> tuple[Parts]:
    parts = {part: cells.get(column) for part, column in _COLUMNS.items()}
    ways = [cells.get("rephrase"), cells.get("personas")]
    parts["rephrase_prompts"] = [way for way in ways if way is not None]
    return (parts,)


WIKIBIGEDIT = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
