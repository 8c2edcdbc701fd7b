"""MedEditBench: medical multiple-choice questions that a model answered wrongly.

The question with its choices in another order, and the case made from the same fact
(`gen_qa`), follow from the edit; what a model must still know (`ret_qa`) has to stay. The
references and rationales (`re`, `sgr`), which other editors learn instead, are not used.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.formats.nested import named
from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["MEDEDITBENCH"]

NAME = "MedEditBench"
_COLUMNS = {
    "prompt": "ori_q",
    "target_new": "gta",
    "subject": "subj_word",
    "ground_truth": "0shot_ori_a",
    "locality_prompts": "ret_qa",
    "portability_prompts": "shuffle_ori_qa, gen_qa",
}
_USED = frozenset({*_COLUMNS.values(), "shuffle_ori_qa", "gen_qa"})


def _fits(names: AbstractSet[str], _: Cells) -> bool:
    return names >= {"ori_q", "gta"}


def _split(cells: Cells) -> tuple[Parts]:
    shuffled = _asked(cells, "shuffle_ori_qa", "portability_prompts", "s_q", "s_a")
    generalized = _asked(cells, "gen_qa", "portability_prompts", "q", "a")
    return (
        {
            "prompt": cells.get("ori_q"),
            "target_new": cells.get("gta"),
            "subject": cells.get("subj_word"),
            "ground_truth": cells.get("0shot_ori_a"),
            "locality_prompts": _asked(cells, "ret_qa", "locality_prompts", "q", "a"),
            "portability_prompts": shuffled + generalized,
        },
    )


def _asked(cells: Cells, column: str, part: str, asked: str, answer: str) -> list[dict[str, Any]]:
    if cells.get(column) in (None, ""):
        return []
    question = named(cells[column], part, column)
    return [{"prompt": question.get(asked), "answer": question.get(answer)}]


MEDEDITBENCH = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
