"""Writing facts to a file that `read_facts` reads back equal.

CSV and TSV use the flat columns that other editors read too; JSON and JSON lines use the words of
`Fact` itself, with real lists. The flat CounterFact schema is what EasyEdit, LocFT and others
read: it has room for one rephrase and one locality prompt a fact, and for nothing that follows from
it or is trained on beside its prompt.
A text that would be read as something else, such as one in brackets or ``#N/A``, is written as a
list of one. Knows nothing about problems: whatever is given is written.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.errors import FactsError
from workbench.facts.fact import Fact, Question
from workbench.facts.mend import escaped, stays
from workbench.facts.tables.printed import unprinted
from workbench.facts.values import LIST_SEPARATOR, split_list
from workbench.facts.wrong import Wrong

__all__ = ["COLUMNS", "FLAT_COLUMNS", "Schema", "write_facts", "written_ending"]

Schema = Literal["own", "counterfact"]

# What a table of facts has at least, in files of ours and of others.
FLAT_COLUMNS = (
    "prompt",
    "target_new",
    "subject",
    "ground_truth",
    "rephrase_prompt",
    "locality_prompt",
    "locality_ground_truth",
)
_TEXTS = FLAT_COLUMNS[:4]
_LISTS = FLAT_COLUMNS[4:]
COLUMNS = (
    *FLAT_COLUMNS,
    "portability_prompt",
    "portability_ground_truth",
    "aliases",
    "wording",
    "keep_prompt",
    "keep_answer",
)


def write_facts(facts: Iterable[Fact], path: str | Path, schema: Schema = "own") -> None:
    """Writes facts; the file's ending decides the format.

    Args:
        facts: the facts, in the order in which they are written.
        path: ends in .csv, .tsv, .json or .jsonl, or in one of these and .gz; an existing file
            is replaced.
        schema: ``own`` keeps everything; ``counterfact`` writes the flat CounterFact schema,
            with the first rephrase and the first locality prompt of each fact.

    Raises:
        FactsError: another ending, or the file cannot be written.
    """
    path = Path(path)
    ending, packed = written_ending(path)
    pieces = _pieces(facts, ending, schema)
    try:
        if packed:
            with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
    except OSError as error:
        raise FactsError(f"'{path}' cannot be written: {error.strerror}.") from error


def written_ending(path: Path) -> tuple[str, bool]:
    """The format of a file of facts that is to be written, and whether it is packed.

    Args:
        path: see `write_facts`.

    Raises:
        FactsError: another ending.
    """
    packed = path.suffix.lower() == ".gz"
    ending = (path.with_suffix("") if packed else path).suffix.lower()
    if ending not in (".csv", ".tsv", ".json", ".jsonl"):
        raise FactsError(
            f"'{path.name}' should end in .csv, .tsv, .json or .jsonl, or that and .gz."
        )
    return ending, packed


def _pieces(facts: Iterable[Fact], ending: str, schema: Schema) -> Iterator[str]:
    """The file's text, piece by piece."""
    if ending in (".csv", ".tsv"):
        return _separated(facts, "," if ending == ".csv" else "\t", schema)
    objects: Iterator[dict[str, Any]] = (
        (_as_record(number, fact) for number, fact in enumerate(facts))
        if schema == "counterfact"
        else map(_as_object, facts)
    )
    if ending == ".jsonl":
        return (json.dumps(item, ensure_ascii=False) + "\n" for item in objects)
    return _array(objects)


def _array(objects: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, item in enumerate(objects):
        text = json.dumps(item, ensure_ascii=False, indent=2)
        yield (",\n" if number else "\n") + text
    yield "\n]\n"


class _Line:
    """Takes a line from the csv writer, so that it can be passed on."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _separated(facts: Iterable[Fact], separator: str, schema: Schema) -> Iterator[str]:
    line = _Line()
    writer = csv.writer(line, delimiter=separator, lineterminator="\r\n")
    if schema == "counterfact":
        for number, fact in enumerate(facts):
            cells = _as_counterfact(number, fact)
            if not number:
                writer.writerow(cells)
                yield line.text
            # Read from a table, a list may stand in these cells, so one text must not look so.
            for name in _LISTS:
                cells[name] = _as_cell([cells[name]] if cells[name] else [])
            for name in _TEXTS:
                cells[name] = _one_cell(cells[name])
            writer.writerow(cells.values())
            yield line.text
        return
    writer.writerow(COLUMNS)
    yield line.text
    for fact in facts:
        writer.writerow(_cells(fact))
        yield line.text


def _cells(fact: Fact) -> list[str]:
    return [
        _one_cell(fact.prompt),
        _one_cell(fact.target_new),
        _one_cell(fact.subject),
        _one_cell(fact.ground_truth),
        _as_cell(fact.rephrase_prompts),
        *_question_cells(fact.locality_prompts),
        *_question_cells(fact.portability_prompts),
        _as_cell(fact.aliases),
        _as_cell(fact.wordings),
        *_question_cells(fact.keep_prompts),
    ]


def _question_cells(questions: Sequence[Question]) -> tuple[str, str]:
    """Prompts and answers in two cells; or objects in the first where answers have aliases."""
    if any(question.aliases for question in questions):
        return json.dumps([_as_pair(q) for q in questions], ensure_ascii=False), ""
    answers = [question.answer for question in questions]
    return _as_cell([q.prompt for q in questions]), _as_cell(answers if any(answers) else [])


def _as_cell(texts: Sequence[str]) -> str:
    """Several texts in one cell: as people write them, or as a JSON list where that is unsafe."""
    texts = [escaped(text) for text in texts]
    readable = LIST_SEPARATOR.join(texts)
    if split_list(readable) == texts and _reads_as_it_is(readable):
        return readable
    return json.dumps(texts, ensure_ascii=False)


def _one_cell(text: str) -> str:
    written = escaped(text)
    return written if _reads_as_it_is(written) else json.dumps([written], ensure_ascii=False)


def _one_value(text: str) -> str | list[str]:
    written = escaped(text)
    return written if _reads_as_it_is(written) else [written]


def _reads_as_it_is(text: str) -> bool:
    try:
        return stays(text) and unprinted(text) is text
    except Wrong:
        return False


def _as_object(fact: Fact) -> dict[str, Any]:
    """The fact as JSON-ready data, without its empty parts."""
    parts = {
        "prompt": _one_value(fact.prompt),
        "target_new": _one_value(fact.target_new),
        "subject": _one_value(fact.subject),
        "ground_truth": _one_value(fact.ground_truth),
        "rephrase_prompts": [escaped(text) for text in fact.rephrase_prompts],
        "locality_prompts": [_as_pair(question) for question in fact.locality_prompts],
        "portability_prompts": [_as_pair(question) for question in fact.portability_prompts],
        "aliases": [escaped(text) for text in fact.aliases],
        "wordings": [escaped(text) for text in fact.wordings],
        "keep_prompts": [_as_pair(question) for question in fact.keep_prompts],
    }
    found: dict[str, Any] = {name: value for name, value in parts.items() if value}
    if not any(isinstance(value, str) for value in found.values()):
        # An object of lists alone, if it is all of a file, is a table column by column.
        found[next((name for name in parts if name not in found), "note")] = ""
    return found


def _as_pair(question: Question) -> dict[str, Any]:
    pair: dict[str, Any] = {
        "prompt": escaped(question.prompt),
        "answer": escaped(question.answer),
    }
    if question.aliases:
        pair["aliases"] = [escaped(alias) for alias in question.aliases]
    return pair


def _as_record(number: int, fact: Fact) -> dict[str, Any]:
    """The flat record as JSON holds it."""
    record = _as_counterfact(number, fact)
    return {**record, **{name: _one_value(record[name]) for name in (*_TEXTS, *_LISTS)}}


def _as_counterfact(number: int, fact: Fact) -> dict[str, Any]:
    locality = fact.locality_prompts[0] if fact.locality_prompts else Question("")
    return {
        "case_id": number,
        "prompt": fact.prompt,
        "target_new": fact.target_new,
        "subject": fact.subject,
        "ground_truth": fact.ground_truth,
        "rephrase_prompt": fact.rephrase_prompts[0] if fact.rephrase_prompts else "",
        "locality_prompt": locality.prompt,
        "locality_ground_truth": locality.answer,
    }
