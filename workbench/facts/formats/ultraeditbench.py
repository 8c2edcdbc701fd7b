"""UltraEditBench: one flat record a fact, with ZsRE's short names but `prompt` for the prompt."""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import flat_format

__all__ = ["ULTRAEDITBENCH"]


def _fits(names: AbstractSet[str]) -> bool:
    return names >= {"prompt", "ans"} and bool(names & {"loc", "loc_ans"})


ULTRAEDITBENCH = flat_format(
    "UltraEditBench",
    _fits,
    {
        "prompt": ("prompt",),
        "target_new": ("ans",),
        "subject": ("subject",),
        "ground_truth": ("ground_truth", "pred", "answers"),
        "rephrase_prompts": ("rephrase_prompt", "rephrase"),
        "locality_prompts": ("loc",),
        "locality_answers": ("loc_ans",),
    },
)
