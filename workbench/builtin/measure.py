"""Measures the built-in model: `python -m workbench.builtin.measure`.

Prints how often the model answers exactly right, by kind of phrasing and by skill, and
writes the same table into the model card between its two markers. All numbers come from
greedy generation with the end-of-text token (see `answers.py`). Knows nothing about
editing.
"""

import argparse
import platform
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
import transformers

from workbench.builtin.answers import Answerer
from workbench.builtin.phrasing import (
    CHAT_FORMAT,
    QUESTION_FORMATS,
    main_prompt,
    render,
    split_phrasings,
)
from workbench.builtin.sentences import unrelated_sentence
from workbench.builtin.skills import SKILLS, draw_question
from workbench.builtin.tables import WorldFact, read_phrasings, read_world
from workbench.paths import builtin_model_dir

__all__ = ["BEGIN", "END", "Row", "as_markdown", "measure", "write_card"]

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SEED = 20
PER_SKILL = 200
LARGEST_SAMPLE = 2000


@dataclass(frozen=True)
class Row:
    """One line of the table: what was asked, how often, and the share answered right."""

    name: str
    asked: int
    right: float
    note: str = ""


def _ask(answerer: Answerer, pairs: list[tuple[str, str]]) -> float:
    answers = answerer.answer([prompt for prompt, _ in pairs])
    return sum(got == want for got, (_, want) in zip(answers, pairs, strict=True)) / len(pairs)


def _held_out_prompts(fact: WorldFact) -> list[str]:
    held = split_phrasings(fact, read_phrasings()[fact.relation]).held_out
    clozes = [render(text, fact.subject) for text in held.clozes]
    questions = [
        form.format(q=render(text, fact.subject))
        for text in held.questions
        for form in QUESTION_FORMATS
    ]
    return clozes + questions


def _trained_prompts(fact: WorldFact) -> list[str]:
    trained = split_phrasings(fact, read_phrasings()[fact.relation]).trained
    clozes = [render(text, fact.subject) for text in trained.clozes]
    return clozes + [
        QUESTION_FORMATS[1].format(q=render(q, fact.subject)) for q in trained.questions
    ]


def _fact_questions(rng: random.Random) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    world, phrasings = read_world(), read_phrasings()
    yield (
        "facts, main phrasing",
        [(main_prompt(fact, phrasings[fact.relation]), fact.object) for fact in world],
    )
    yield (
        "facts, phrasings trained on",
        [(prompt, fact.object) for fact in world for prompt in _trained_prompts(fact)],
    )
    held = [(prompt, fact.object) for fact in world for prompt in _held_out_prompts(fact)]
    yield "facts, phrasings held out for the subject", held
    yield (
        "the same after a new unrelated sentence",
        [(f"{unrelated_sentence(rng, held_out=True)} {prompt}", want) for prompt, want in held],
    )
    bare = [
        (render(question, fact.subject), fact.object)
        for fact in world
        for question in phrasings[fact.relation].questions
    ]
    yield "facts, bare questions", bare
    yield (
        "facts, a sentence to complete asked as a chat message",
        [
            (CHAT_FORMAT.format(q=main_prompt(fact, phrasings[fact.relation])), fact.object)
            for fact in world
        ],
    )


def measure(folder: Path) -> list[Row]:
    """The rows of the table for the model in this folder; large sets are sampled by seed."""
    answerer = Answerer(folder)
    rng = random.Random(SEED)
    rows = []
    for number, (name, pairs) in enumerate(_fact_questions(rng)):
        asked = pairs
        if number > 0 and len(pairs) > LARGEST_SAMPLE:
            asked = rng.sample(pairs, LARGEST_SAMPLE)
        rows.append(Row(name, len(asked), _ask(answerer, asked)))
    skills = []
    for skill in SKILLS:
        questions = {draw_question(skill, rng, held_out=True) for _ in range(PER_SKILL)}
        pairs = [(question.prompt, question.answer) for question in sorted(questions, key=str)]
        skills.append(Row(skill.name, len(pairs), _ask(answerer, pairs), skill.held_out))
    mean = sum(row.right for row in skills) / len(skills)
    return [*rows, *skills, Row("skills, mean", sum(row.asked for row in skills), mean)]


def as_markdown(rows: list[Row]) -> str:
    """The table as Markdown, with the date and the machine it was measured on."""
    lines = ["| asked | items | right | held out for it |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {row.name} | {row.asked:,} | {row.right:.3f} | {row.note} |" for row in rows]
    machine = f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return "\n".join([*lines, "", f"Measured on {date.today()}, {machine}, {versions}."])


def write_card(folder: Path, table: str) -> None:
    """Puts the table between the markers of the model card in this folder.

    Raises ValueError when the card has no markers.
    """
    path = folder / "README.md"
    card = path.read_text(encoding="utf-8")
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no line {BEGIN} followed by a line {END}")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the built-in model.")
    parser.add_argument("--model", type=Path, default=builtin_model_dir(), help="model folder")
    parser.add_argument("--no-card", action="store_true", help="leave the model card alone")
    options = parser.parse_args()
    table = as_markdown(measure(options.model))
    print(table)
    if not options.no_card:
        write_card(options.model, table)


if __name__ == "__main__":
    main()
