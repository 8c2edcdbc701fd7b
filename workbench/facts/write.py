"""Writing facts to a file that `read_facts` reads back equal.

CSV and TSV use the flat columns that other editors read too; JSON and JSON lines use the words of
`Fact` itself, with real lists. Knows nothing about problems: whatever is given is written.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.facts.fact import Fact, Question
from workbench.facts.rows import LIST_SEPARATOR, split_list
from workbench.recipe.errors import FactsError

__all__ = ["write_facts"]

_COLUMNS = (
    "prompt",
    "target_new",
    "subject",
    "ground_truth",
    "rephrase_prompt",
    "locality_prompt",
    "locality_ground_truth",
    "portability_prompt",
    "portability_ground_truth",
)


def write_facts(facts: Iterable[Fact], path: str | Path) -> None:
    """Writes facts; the file's ending decides the format.

    Args:
        facts: the facts, in the order in which they are written.
        path: ends in .csv, .tsv, .json or .jsonl; an existing file is replaced.

    Raises:
        FactsError: another ending, or the file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        text = _separated(facts, "," if ending == ".csv" else "\t")
    elif ending == ".json":
        text = json.dumps([_as_object(fact) for fact in facts], ensure_ascii=False, indent=2)
    elif ending == ".jsonl":
        text = "".join(json.dumps(_as_object(fact), ensure_ascii=False) + "\n" for fact in facts)
    else:
        raise FactsError(f"'{path.name}' should end in .csv, .tsv, .json or .jsonl.")
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise FactsError(f"'{path}' cannot be written: {error.strerror}.") from error


def _separated(facts: Iterable[Fact], separator: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for fact in facts:
        locality, portability = fact.locality_prompts, fact.portability_prompts
        writer.writerow(
            [
                fact.prompt,
                fact.target_new,
                fact.subject,
                fact.ground_truth,
                _as_cell(fact.rephrase_prompts),
                _as_cell([question.prompt for question in locality]),
                _as_cell(_answers(locality)),
                _as_cell([question.prompt for question in portability]),
                _as_cell(_answers(portability)),
            ]
        )
    return stream.getvalue()


def _answers(questions: Sequence[Question]) -> list[str]:
    """The answers, or nothing when none is stated."""
    answers = [question.answer for question in questions]
    return answers if any(answers) else []


def _as_cell(texts: Sequence[str]) -> str:
    """Several texts in one cell: as people write them, or as a JSON list where that is unsafe."""
    readable = LIST_SEPARATOR.join(texts)
    if split_list(readable) == list(texts):
        return readable
    return json.dumps(list(texts), ensure_ascii=False)


def _as_object(fact: Fact) -> dict[str, Any]:
    """The fact as JSON-ready data, without its empty parts."""
    parts = {
        "prompt": fact.prompt,
        "target_new": fact.target_new,
        "subject": fact.subject,
        "ground_truth": fact.ground_truth,
        "rephrase_prompts": list(fact.rephrase_prompts),
        "locality_prompts": [_as_pair(question) for question in fact.locality_prompts],
        "portability_prompts": [_as_pair(question) for question in fact.portability_prompts],
    }
    return {name: value for name, value in parts.items() if value}


def _as_pair(question: Question) -> dict[str, str]:
    return {"prompt": question.prompt, "answer": question.answer}
