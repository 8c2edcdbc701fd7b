"""Pasted lines without a header, such as ``The capital of Australia is => Melbourne``.

Pure; knows nothing about the page.
"""

import json
from collections.abc import Iterable

from workbench.errors import FactsError
from workbench.facts import FactFile, Question, parse_facts
from workbench.page.facts.row import ARROW

__all__ = ["as_json_lines", "read_pasted", "read_questions"]

NAME = "The pasted text"


def read_pasted(pasted: str) -> FactFile:
    """The facts of pasted text: a table with a header, or plain lines.

    Args:
        pasted: a table in any format that files may have, or lines of
            ``prompt => answer`` or prompt, tab, answer.

    Raises:
        FactsError: it is neither.
    """
    try:
        return parse_facts(pasted, NAME)
    except FactsError:
        lines = as_json_lines(pasted)
        if not lines:
            raise
        return parse_facts(lines, NAME)


def as_json_lines(pasted: str) -> str:
    """Plain lines as JSON lines, each on the line on which it stood; empty when none is one.

    A line without an arrow or a tab keeps its place as a fact without an answer, so that it is
    reported like any other mistake.
    """
    split = [_split(line) for line in pasted.splitlines()]
    if not any(answer for _, answer in split):
        return ""
    return "\n".join(
        json.dumps({"prompt": prompt, "target_new": answer}, ensure_ascii=False) if prompt else ""
        for prompt, answer in split
    )


def read_questions(lines: Iterable[str], known: Iterable[Question] = ()) -> tuple[Question, ...]:
    """Lines of ``prompt => answer`` as questions; the answer may be missing.

    Args:
        lines: the lines; empty ones are passed over.
        known: questions that were there before: one that comes back keeps its aliases.
    """
    aliases = {(q.prompt, q.answer): q.aliases for q in known}
    pairs = [_split(line) for line in lines if line.strip()]
    return tuple(
        Question(prompt, answer, aliases.get((prompt, answer), ())) for prompt, answer in pairs
    )


def _split(line: str) -> tuple[str, str]:
    """The prompt and the answer of a line; the last arrow counts, for prompts may hold one."""
    separator = ARROW if ARROW in line else "\t"
    prompt, found, answer = line.rpartition(separator)
    return (prompt.strip(), answer.strip()) if found else (line.strip(), "")
