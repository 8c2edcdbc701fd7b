"""UnKE: a question with a long answer, the question in other words, and questions about parts."""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import flat_format

__all__ = ["UNKE"]


def _fits(names: AbstractSet[str]) -> bool:
    return names >= {"question", "answer"} and bool(names & {"para_question", "sub_question"})


UNKE = flat_format(
    "UnKE",
    _fits,
    {
        "prompt": ("question",),
        "target_new": ("answer",),
        "rephrase_prompts": ("para_question",),
        "portability_prompts": ("sub_question",),
        "portability_answers": ("sub_answer",),
    },
)
