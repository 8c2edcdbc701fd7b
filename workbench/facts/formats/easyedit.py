"""The arguments of EasyEdit's `edit`: lists side by side, with further questions in groups.

`<|endoftext|>` as the old answer is what EasyEdit puts there when there is none.
"""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["EASYEDIT"]

NAME = "EasyEdit's call"
_COLUMNS = {
    "prompt": "prompts",
    "target_new": "target_new",
    "subject": "subject",
    "ground_truth": "ground_truth",
    "rephrase_prompts": "rephrase_prompts",
    "locality_prompts": "locality_inputs",
    "portability_prompts": "portability_inputs",
}
_NONE = "<|endoftext|>"


def _fits(names: AbstractSet[str], _: Cells) -> bool:
    return names >= {"prompts", "target_new"}


def _layout(names: AbstractSet[str]) -> Layout:
    columns = {part: column for part, column in _COLUMNS.items() if column in names}

    def split(cells: Cells) -> tuple[Parts]:
        parts = {part: cells.get(column) for part, column in columns.items()}
        if parts.get("ground_truth") == _NONE:
            del parts["ground_truth"]
        return (parts,)

    return Layout(NAME, True, columns, split, frozenset(columns.values()))


EASYEDIT = Format(NAME, _fits, _layout)
