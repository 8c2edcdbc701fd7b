"""KnowEdit: facts with groups of portability and locality questions.

Its parts go by two names (`subject` or `concept`, `prompt` or `text`, `target_new` or `labels`).
An answer is a text, a list of right answers, or a list of lists of one answer's names: the first
is the answer, and the others count as right.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from workbench.facts.formats.nested import asked
from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["KNOWEDIT"]

NAME = "KnowEdit"
_CHOICES = {
    "prompt": ("prompt", "text"),
    "target_new": ("target_new", "labels"),
    "subject": ("subject", "concept"),
    "ground_truth": ("ground_truth",),
    "rephrase_prompts": ("rephrase_prompt", "rephrase"),
}
_GROUPS = ("locality", "portability")


def _fits(names: AbstractSet[str], sample: Cells) -> bool:
    grouped = any(isinstance(sample.get(group), Mapping) for group in _GROUPS)
    return grouped and all(names & set(_CHOICES[part]) for part in ("prompt", "target_new"))


def _layout(names: AbstractSet[str]) -> Layout:
    columns = {
        part: next((name for name in choices if name in names), choices[0])
        for part, choices in _CHOICES.items()
    }
    columns |= {f"{group}_prompts": group for group in _GROUPS}
    used = frozenset(_GROUPS).union(*_CHOICES.values())
    return Layout(NAME, True, columns, _split, used)


def _split(cells: Cells) -> tuple[Parts]:
    parts: dict[str, object] = {}
    for part, choices in _CHOICES.items():
        values = (cells.get(name) for name in choices)
        parts[part] = next((value for value in values if value not in (None, "")), None)
    for group in _GROUPS:
        parts[f"{group}_prompts"] = asked(cells.get(group), f"{group}_prompts", group)
    return (parts,)


KNOWEDIT = Format(NAME, _fits, _layout)
