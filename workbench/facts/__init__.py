"""What comes in: facts, their file formats, and what is wrong with them.

Knows nothing about models, torch or the page.
"""

from workbench.facts.check import Conflict
from workbench.facts.doubts import fact_problems
from workbench.facts.fact import Fact, Question
from workbench.facts.guess import ColumnGuess, guess_columns
from workbench.facts.problems import Problem, report_csv
from workbench.facts.read import FactFile, parse_facts, read_facts
from workbench.facts.tables import FILE_TYPES
from workbench.facts.write import write_facts

__all__ = [
    "FILE_TYPES",
    "ColumnGuess",
    "Conflict",
    "Fact",
    "FactFile",
    "Problem",
    "Question",
    "fact_problems",
    "guess_columns",
    "parse_facts",
    "read_facts",
    "report_csv",
    "write_facts",
]
