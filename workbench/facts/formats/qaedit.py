"""QAEdit: questions of public QA sets, each with a rephrase and several locality questions."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from workbench.facts.layout import Cells, Format, Layout

__all__ = ["QAEDIT"]

NAME = "QAEdit"
_COLUMNS = {
    "prompt": "prompt",
    "target_new": "target",
    "subject": "subject",
    "rephrase_prompts": "rephrase",
    "locality_prompts": "locality",
}


def _fits(names: AbstractSet[str], sample: Cells) -> bool:
    near = sample.get("locality")
    asked = isinstance(near, list) and any(isinstance(q, Mapping) and "loc" in q for q in near)
    return asked and names >= {"prompt", "target"}


QAEDIT = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS))
