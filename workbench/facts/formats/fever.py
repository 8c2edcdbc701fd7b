"""FEVER as UltraEdit and MALMEN read it: a claim, its verdict, and claims put in other words."""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import flat_format

__all__ = ["FEVER"]


def _fits(names: AbstractSet[str]) -> bool:
    return names >= {"prompt", "alt"} and bool(names & {"equiv_prompt", "unrel_prompt"})


FEVER = flat_format(
    "FEVER",
    _fits,
    {
        "prompt": ("prompt",),
        "target_new": ("alt",),
        "subject": ("subject",),
        "ground_truth": ("ground_truth", "pred", "answers"),
        "rephrase_prompts": ("equiv_prompt",),
        "locality_prompts": ("unrel_prompt",),
        "locality_answers": ("unrel_ans",),
    },
)
