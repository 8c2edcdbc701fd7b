"""RippleEdits: an edit as a whole sentence, with six groups of queries around it.

The answer has to be split off the sentence: it is what the sentence says instead of its old
version (`original_fact`), or, where there is no old version, what stands after the last "is".
Where neither works the row is reported. Relation specificity (which the files spell
`Relation_Specifity`) and forgetfulness must stay as they are; the other groups follow from the
edit. The conditions under which a query counts are not used.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.formats.nested import listed, named
from workbench.facts.layout import Cells, Format, Layout, Parts
from workbench.facts.problems import shorten
from workbench.facts.wrong import Wrong

__all__ = ["RIPPLEEDITS"]

NAME = "RippleEdits"
_LOCALITY = ("Relation_Specifity", "Relation_Specificity", "Forgetfulness")
_PORTABILITY = (
    "Logical_Generalization", "Subject_Aliasing", "Compositionality_I", "Compositionality_II",
)  # fmt: skip
_COLUMNS = {
    "prompt": "edit.prompt",
    "target_new": "edit.prompt",
    "ground_truth": "edit.original_fact.prompt",
    "locality_prompts": "Relation_Specifity, Forgetfulness",
    "portability_prompts": ", ".join(_PORTABILITY),
}
_USED = frozenset({"edit", *_LOCALITY, *_PORTABILITY})
_IS = " is "


def _fits(names: AbstractSet[str], sample: Cells) -> bool:
    edit = sample.get("edit")
    return isinstance(edit, Mapping) and "prompt" in edit and bool(names & (_USED - {"edit"}))


def _split(cells: Cells) -> tuple[Parts]:
    edit = named(cells.get("edit"), "prompt", "edit")
    original = edit.get("original_fact")
    old = named(original, "ground_truth", "edit.original_fact") if original is not None else {}
    prompt, target, truth = _split_sentence(edit.get("prompt"), old.get("prompt"))
    return (
        {
            "prompt": prompt,
            "target_new": target,
            "ground_truth": truth,
            "locality_prompts": _queries(cells, _LOCALITY, "locality_prompts"),
            "portability_prompts": _queries(cells, _PORTABILITY, "portability_prompts"),
        },
    )


def _split_sentence(sentence: Any, original: Any) -> tuple[str, str, str]:
    """The prompt, the new answer and the old one.

    Raises:
        Wrong: it cannot be told where the answer begins.
    """
    if not isinstance(sentence, str):
        raise Wrong("The edit has no sentence.", "Give edit.prompt a text.", "missing", "prompt")
    words = _words(sentence)
    if isinstance(original, str) and original.strip() != sentence.strip():
        before = _words(original)
        same = 0
        while same < min(len(words), len(before)) and words[same] == before[same]:
            same += 1
        if 0 < same < len(words):
            return " ".join(words[:same]), " ".join(words[same:]), " ".join(before[same:])
    prompt, found, target = " ".join(words).rpartition(_IS)
    if not found or not target:
        raise Wrong(
            f"The answer cannot be told from the rest of '{shorten(sentence)}'.",
            "Write prompt and target_new apart, in a table of your own.",
            "target",
            "target_new",
        )
    unchanged = isinstance(original, str) and original.strip() == sentence.strip()
    return prompt + _IS.rstrip(), target, target if unchanged else ""


def _words(sentence: str) -> list[str]:
    """The words of a sentence without its full stop."""
    words = sentence.split()
    if words and len(words[-1]) > 1 and words[-1].endswith("."):
        words[-1] = words[-1][:-1]
    elif words and words[-1] == ".":
        words.pop()
    return words


def _queries(cells: Cells, groups: tuple[str, ...], part: str) -> list[dict[str, Any]]:
    return [
        {
            "prompt": query.get("prompt", query.get("phrase")),
            "answer": [_names(answer, part) for answer in _answers(query, part)],
        }
        for group in groups
        for test in listed(cells.get(group), part, group)
        for raw in listed(named(test, part, group).get("test_queries"), part, group)
        for query in (named(raw, part, group),)
    ]


def _answers(query: Mapping[str, Any], part: str) -> list[Any]:
    return listed(query.get("answers"), part, "answers")


def _names(answer: Any, part: str) -> list[Any]:
    found = named(answer, part, "answers")
    return [found.get("value"), *listed(found.get("aliases"), part, "aliases")]


RIPPLEEDITS = Format(NAME, _fits, lambda _: Layout(NAME, True, _COLUMNS, _split, _USED))
