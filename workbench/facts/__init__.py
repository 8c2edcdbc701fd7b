"""What comes in: facts, their file formats, and what is wrong with them.

Knows nothing about models, torch or the page.
"""

from workbench.facts.check import fact_problems
from workbench.facts.fact import Fact, Question
from workbench.facts.problems import Problem
from workbench.facts.read import FactFile, parse_facts, read_facts
from workbench.facts.write import write_facts

__all__ = [
    "Fact",
    "FactFile",
    "Problem",
    "Question",
    "fact_problems",
    "parse_facts",
    "read_facts",
    "write_facts",
]
