"""The flat tables that EasyEdit and LocFT read: CounterFact's, and WikiBigEdit's likewise."""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import flat_format

__all__ = ["COUNTERFACT_FLAT", "WIKIBIGEDIT_FLAT"]

_COLUMNS = {
    "prompt": ("prompt",),
    "target_new": ("target_new",),
    "subject": ("subject",),
    "ground_truth": ("ground_truth",),
    "rephrase_prompts": ("rephrase_prompt",),
    "locality_prompts": ("locality_prompt",),
    "locality_answers": ("locality_ground_truth",),
}
_SHARED = {"prompt", "target_new", "subject", "rephrase_prompt", "locality_prompt"}
_SHARED |= {"locality_ground_truth"}


def _is_counterfact(names: AbstractSet[str]) -> bool:
    return names == _SHARED | {"case_id", "ground_truth"}


def _is_wikibigedit(names: AbstractSet[str]) -> bool:
    return names == _SHARED


COUNTERFACT_FLAT = flat_format("CounterFact (flat)", _is_counterfact, _COLUMNS)
WIKIBIGEDIT_FLAT = flat_format("WikiBigEdit (flat)", _is_wikibigedit, _COLUMNS)
