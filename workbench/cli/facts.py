"""`workbench facts`: what is in a file, and what is wrong with it."""

from rich.table import Table
from rich.text import Text

from workbench.cli.common import FactsPath, Json, print_json, say, screen, visible
from workbench.facts.problems import Problem
from workbench.facts.read import read_facts

__all__ = ["facts", "problem_table"]

SHOWN = 50


def facts(file: FactsPath, as_json: Json = False) -> None:
    """Read a file of facts; print its format, its facts and its problems by row."""
    found = read_facts(file)
    if as_json:
        print_json(found.summary())
        return
    say(
        f"{found.format}: {found.rows} rows = {len(found)} facts + {found.merged} merged "
        f"+ {found.rejected} rejected"
    )
    if found.unused_columns:
        say(visible(f"Columns not used: {', '.join(found.unused_columns)}"))
    if not found.problems:
        say("No problems.")
        return
    screen().print(problem_table(found.problems[:SHOWN]))
    if len(found.problems) > SHOWN:
        say(f"… and {len(found.problems) - SHOWN} more; --json lists all.")


def problem_table(problems: tuple[Problem, ...]) -> Table:
    """Problems as a table for the terminal."""
    table = Table("row", "field", "kind", "what is wrong", "what to do", box=None, pad_edge=False)
    for problem in problems:
        row = str(problem.row) if problem.row else "file"
        cells = (row, problem.field, problem.severity, problem.what, problem.mend)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table
