"""What is wrong with a row of facts, said so that a person can mend it.

Invariant: an error means that the row was left out, a warning that it was kept.
Does not know how problems are found.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["WHY", "Problem", "Severity", "printable", "report_csv", "shorten"]

Severity = Literal["error", "warning"]

# Every kind of problem, and why it matters.
WHY: dict[str, str] = {
    "missing": "Without a prompt and an answer there is nothing to learn.",
    "cells": "With a cell too many or too few, values stand under the wrong names.",
    "unreadable": "What cannot be read cannot be guessed.",
    "structure": "The format keeps something else in this place.",
    "target": "Only a prompt and an answer apart can be learned.",
    "not text": "A model reads and writes text only.",
    "control character": "A tokenizer would read the character, and the model would learn it.",
    "too long": "No fact is that long; most likely a quote or a bracket was never closed.",
    "uneven lists": "It is not known which answer belongs to which prompt.",
    "conflict": "One prompt can have one answer only, so one of the two could never be learned.",
    "merged": "The same fact twice would weigh double.",
    "no change": "There may be nothing to learn, and then the score says little about the edit.",
    "answer in prompt": "The model may copy the answer instead of learning it.",
    "answer cut": "What comes after the stop is never compared, so the generated score is wrong.",
    "too many tokens": "The model cannot read the prompt and the answer at once.",
    "rephrase is prompt": "The rephrase is trained on, so it says nothing about generalization.",
    "rephrase is fact": "The rephrase is trained on with that fact's answer.",
    "rephrase shared": "One of the answers must come out wrong, which caps generalization.",
    "locality is fact": "What is edited cannot stay as it is, which caps locality.",
    "locality is rephrase": "An edit that generalizes changes it, which caps locality.",
    "wording is measured": "What a fact is measured by is never trained on.",
    "wording is prompt": "It is trained on already, or with the other fact's answer.",
    "wording shared": "One of the answers must come out wrong.",
    "keep is measured": "What is measured is never trained on, or it would say nothing.",
    "keep is taught": "What is edited cannot stay as it is.",
    "keep shared": "Only one of the answers is kept.",
    "locality unanswered": "Locality compares before and after; what is right is not known.",
    "lost character": "The model would learn the broken text, or be asked it.",
    "other sheets": "Facts on them would be missed.",
    "hidden rows": "What is filtered away may not be meant to be learned.",
    "preamble": "Titles and notes are no facts.",
    "printed": "The model would learn the brackets and the quotes.",
    "spreadsheet error": "The model would learn the error.",
    "mended": "The model would have learned the signs.",
    "left out": "What is not read is neither learned nor measured.",
    "loose JSON": "Other programs may refuse the file.",
    "special token": "The model does not read it as text, but as a mark such as the end.",
    "encoding": "Accents and dashes may have become other letters.",
    "unreadable characters": "What those bytes stood for is not known.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    Args:
        row: the row as a person sees it: in a table, JSON lines and YAML the number of the line on
            which the row starts (the header of a table is line 1), in JSON the number of the
            element, counted from 1; 0 when the problem is the whole file's.
        field: the name of the column, as the file calls it; empty when it is the whole row.
        what: what is wrong, as a sentence.
        mend: what to do, as a sentence.
        severity: ``error`` when the row was left out, ``warning`` when it was kept.
        kind: a short word for the kind of problem, one of `WHY`, to count and filter by.
    """

    row: int
    field: str
    what: str
    mend: str
    severity: Severity
    kind: str

    @property
    def why(self) -> str:
        """Why it matters, as a sentence."""
        return WHY[self.kind]

    @property
    def message(self) -> str:
        """All there is to say in one text: what, why, and what to do."""
        return f"{self.what} {self.why} {self.mend}"

    def as_dict(self) -> dict[str, str | int]:
        """The problem as JSON-ready data."""
        return {
            "row": self.row,
            "field": self.field,
            "what": self.what,
            "why": self.why,
            "mend": self.mend,
            "severity": self.severity,
            "kind": self.kind,
            "message": self.message,
        }


def report_csv(problems: Iterable[Problem]) -> str:
    """The problems as a CSV table with a header; a row number 0 stands for the whole file."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(("row", "field", "kind", "severity", "what", "why", "mend"))
    for p in problems:
        writer.writerow((p.row, p.field, p.kind, p.severity, p.what, p.why, p.mend))
    return stream.getvalue()


def shorten(text: str, length: int = 60) -> str:
    """The text on one line and at most `length` characters long, for use in a message."""
    line = printable(" ".join(text[: 20 * length].split()))
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def printable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which no file and no page can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
