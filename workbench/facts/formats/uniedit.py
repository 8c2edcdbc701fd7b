"""UniEdit: an object of cases by number, each an edit with numbered questions around it.

What it calls generality goes over several facts, or turns one round, so that its questions are
portability. The chains by which they were made are not used.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.formats.nested import named
from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["UNIEDIT"]

NAME = "UniEdit"
_COLUMNS = {
    "prompt": "edit.prompt",
    "target_new": "edit.target",
    "subject": "edit.subject",
    "locality_prompts": "locality",
    "portability_prompts": "generality",
}
_USED = frozenset({"edit", "locality", "generality"})


def _fits(names: AbstractSet[str], sample: Cells) -> bool:
    edit = sample.get("edit")
    return isinstance(edit, Mapping) and edit.keys() >= {"prompt", "target"} and len(names) > 1


def _split(cells: Cells) -> tuple[Parts]:
    edit = named(cells.get("edit"), "prompt", "edit")
    return (
        {
            "prompt": edit.get("prompt"),
            "target_new": edit.get("target"),
            "subject": edit.get("subject"),
            "locality_prompts": _questions(cells.get("locality"), "locality"),
            "portability_prompts": _questions(cells.get("generality"), "generality"),
        },
    )


def _questions(cases: Any, name: str) -> list[dict[str, Any]]:
    part = "locality_prompts" if name == "locality" else "portability_prompts"
    if cases in (None, ""):
        return []
    asked = (named(case, part, name) for case in named(cases, part, name).values())
    return [{"prompt": case.get("prompt"), "answer": case.get("target")} for case in asked]


UNIEDIT = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
