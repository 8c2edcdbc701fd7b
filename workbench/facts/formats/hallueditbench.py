"""HalluEditBench: tables of facts that a model got wrong, with many ways to ask about each.

`object` is the right answer, and so the new one; `output_<model>` is what the model said, and so
the old one. Where a table has no `question`, it is made of relation and subject as the published
tables do. Its questions with answers of their own (yes and no, multiple choice, reversed, two to
six hops) follow from the fact. The locality question comes without an answer.
"""

from collections.abc import Set as AbstractSet

from workbench.facts.layout import Cells, Format, Layout, Parts

__all__ = ["HALLUEDITBENCH"]

NAME = "HalluEditBench"
_OUTPUT = "output_"
_NEEDED = {"subject", "relation", "object"}
_HOPS = {f"question_{hops}hop": f"answer_{hops}hop" for hops in range(2, 7)}
_PAIRS = {
    "multiple_choice_with_letters": "multiple_choice_labels",
    "reversed_relation_question": "subject",
    **_HOPS,
}
_FIXED = {"yes_question": "Yes", "no_question": "No"}
_OWN = {"paraphrased_question", "locality_question", "multiple_choices", *_PAIRS, *_FIXED}


def _fits(names: AbstractSet[str], _: Cells) -> bool:
    return names >= _NEEDED and bool(names & _OWN)


def _layout(names: AbstractSet[str]) -> Layout:
    outputs = [name for name in names if name.startswith(_OUTPUT)]
    output = outputs[0] if len(outputs) == 1 else ""
    columns = {
        "prompt": "question",
        "target_new": "object",
        "subject": "subject",
        "rephrase_prompts": "paraphrased_question",
        "locality_prompts": "locality_question",
        "portability_prompts": ", ".join(name for name in (*_PAIRS, *_FIXED) if name in names),
    }
    if output:
        columns["ground_truth"] = output

    def split(cells: Cells) -> tuple[Parts]:
        return (
            {
                "prompt": _question(cells),
                "target_new": cells.get("object"),
                "subject": cells.get("subject"),
                "ground_truth": cells.get(output) if output else None,
                "rephrase_prompts": cells.get("paraphrased_question"),
                "locality_prompts": [cells.get("locality_question")],
                "portability_prompts": _portability(cells),
            },
        )

    used = {"question", "object", "relation", "paraphrased_question", "locality_question", output}
    used |= {*_PAIRS, *_PAIRS.values(), *_FIXED}
    return Layout(NAME, True, columns, split, frozenset(used))


def _question(cells: Cells) -> object:
    if cells.get("question"):
        return cells["question"]
    relation, subject = cells.get("relation"), cells.get("subject")
    return f"What is the {relation} of {subject}?" if relation and subject else None


def _portability(cells: Cells) -> list[dict[str, object]]:
    pairs = [(cells.get(question), cells.get(answer)) for question, answer in _PAIRS.items()]
    pairs += [(cells.get(question), answer) for question, answer in _FIXED.items()]
    return [{"prompt": prompt, "answer": answer} for prompt, answer in pairs if prompt]


HALLUEDITBENCH = Format(NAME, _fits, _layout)
