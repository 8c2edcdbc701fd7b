"""ZsRE as MEND, ROME and LocFT read it, and UltraEdit's variant with `ans`.

`alt` (or `ans`) is the new answer, `pred` what a model said, `answers` what is right; `cond`
repeats the edit for another editor and is not used. KnowEdit's forerunner adds one portability
question under names of its own.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["ZSRE"]

_COLUMNS = {
    "prompt": ("src",),
    "target_new": ("ans", "alt"),
    "subject": ("subject",),
    "ground_truth": ("ground_truth", "pred", "answers"),
    "old_answers": ("answers",),
    "rephrase_prompts": ("rephrase",),
    "locality_prompts": ("loc",),
    "locality_answers": ("loc_ans",),
    "portability_prompts": ("portability",),
}


def _fits(names: AbstractSet[str], _: Cells) -> bool:
    return "src" in names and bool(names & {"alt", "ans"}) and bool(names & {"loc", "rephrase"})


def _layout(names: AbstractSet[str]) -> Layout:
    found = {
        part: next((choice for choice in choices if choice in names), "")
        for part, choices in _COLUMNS.items()
    }
    columns = {part: column for part, column in found.items() if column}
    if "portability" not in names:
        return Layout("ZsRE", True, columns)

    def split(cells: Cells) -> tuple[Parts]:
        parts = {part: cells.get(column) for part, column in columns.items()}
        return ({**parts, "portability_prompts": _portability(cells.get("portability"))},)

    return Layout("ZsRE", True, columns, split, frozenset(columns.values()))


def _portability(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return [{"prompt": value.get("New Question"), "answer": value.get("New Answer")}]


ZSRE = Format("ZsRE", _fits, _layout)
