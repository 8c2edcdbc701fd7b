"""MQuAKE: cases of one or more rewrites, and questions that need all of them.

Every rewrite is a fact of its own. The multi-hop questions of a case are the portability prompts
of its first fact, so that each is asked once. What a hop's answer is also called are the aliases
of the rewrite with that answer.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.formats.nested import filled_in, listed, named, string
from workbench.facts.layout import Cells, Format, Layout, Parts
from workbench.facts.wrong import Wrong

__all__ = ["MQUAKE"]

NAME = "MQuAKE"
_COLUMNS = {
    "prompt": "requested_rewrite.prompt",
    "target_new": "requested_rewrite.target_new",
    "subject": "requested_rewrite.subject",
    "ground_truth": "requested_rewrite.target_true",
    "aliases": "new_single_hops.answer_alias",
    "rephrase_prompts": "requested_rewrite.question",
    "portability_prompts": "questions",
}
_USED = frozenset({"requested_rewrite", "questions", "new_answer", "new_answer_alias"})
_USED |= {"new_single_hops"}


def _fits(_: AbstractSet[str], sample: Cells) -> bool:
    return isinstance(sample.get("requested_rewrite"), list)


def _split(cells: Cells) -> list[Parts]:
    rewrites = listed(cells.get("requested_rewrite"), "", "requested_rewrite")
    if not rewrites:
        raise Wrong(
            "The list 'requested_rewrite' is empty.",
            "Add a rewrite, or delete the case.",
            "missing",
        )
    facts = [_fact(named(rewrite, "", "requested_rewrite"), cells) for rewrite in rewrites]
    facts[0]["portability_prompts"] = [
        {
            "prompt": question,
            "answer": cells.get("new_answer"),
            "aliases": cells.get("new_answer_alias"),
        }
        for question in listed(cells.get("questions"), "portability_prompts", "questions")
    ]
    return list(facts)


def _fact(rewrite: Mapping[str, Any], cells: Cells) -> dict[str, Any]:
    subject, target = rewrite.get("subject"), string(rewrite.get("target_new"))
    return {
        "prompt": filled_in(rewrite.get("prompt"), subject),
        "target_new": target,
        "subject": subject,
        "ground_truth": string(rewrite.get("target_true")),
        "aliases": _aliases(cells, target),
        "rephrase_prompts": rewrite.get("question"),
    }


def _aliases(cells: Cells, target: Any) -> Any:
    for hop in listed(cells.get("new_single_hops"), "aliases", "new_single_hops"):
        hop = named(hop, "aliases", "new_single_hops")
        if hop.get("answer") == target:
            return hop.get("answer_alias")
    return None


MQUAKE = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
