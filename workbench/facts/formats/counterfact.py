"""CounterFact as ROME published it: one rewrite in each record, with the subject apart.

The neighbourhood prompts ask about other subjects of which the old answer is true, so that the
old answer is theirs. Attribute and generation prompts belong to other measures and are not used.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from workbench.facts.formats.nested import filled_in, listed, named, string
from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["COUNTERFACT"]

NAME = "CounterFact (ROME)"
_COLUMNS = {
    "prompt": "requested_rewrite.prompt",
    "target_new": "requested_rewrite.target_new",
    "subject": "requested_rewrite.subject",
    "ground_truth": "requested_rewrite.target_true",
    "rephrase_prompts": "paraphrase_prompts",
    "locality_prompts": "neighborhood_prompts",
}
_USED = frozenset({"requested_rewrite", "paraphrase_prompts", "neighborhood_prompts"})


def _fits(_: AbstractSet[str], sample: Cells) -> bool:
    return isinstance(sample.get("requested_rewrite"), Mapping)


def _split(cells: Cells) -> tuple[Parts]:
    rewrite = named(cells.get("requested_rewrite"), "", "requested_rewrite")
    subject, true = rewrite.get("subject"), string(rewrite.get("target_true"))
    near = listed(cells.get("neighborhood_prompts"), "locality_prompts", "neighborhood_prompts")
    return (
        {
            "prompt": filled_in(rewrite.get("prompt"), subject),
            "target_new": string(rewrite.get("target_new")),
            "subject": subject,
            "ground_truth": true,
            "rephrase_prompts": cells.get("paraphrase_prompts"),
            "locality_prompts": [{"prompt": prompt, "answer": true} for prompt in near],
        },
    )


COUNTERFACT = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
