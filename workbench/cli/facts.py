"""`workbench facts`: what is in a file, what is wrong with it, and the same in another format."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workbench.cli.common import (
    Columns,
    FactsPath,
    Json,
    mapping,
    notes,
    print_json,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.errors import FactsError
from workbench.facts.length import too_long
from workbench.facts.problems import Problem, report_csv
from workbench.facts.read import FactFile, read_facts
from workbench.facts.settings import FactsSettings
from workbench.facts.special import special_tokens
from workbench.facts.write import write_facts

__all__ = ["facts", "problem_table"]

SHOWN = 50

TokensOf = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Also look for what is too long for this model, and for its special tokens.",
    ),
]
Trust = Annotated[
    bool, typer.Option("--trust-remote-code", help="Let code that comes with the model run.")
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="CSV", help="Write every problem to this file.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write the facts as .csv, .tsv, .json, .jsonl, or that .gz."
    ),
]


@command("facts")
def facts(
    file: FactsPath,
    settings: FactsSettings,
    columns: Columns = None,
    model: TokensOf = None,
    trust_remote_code: Trust = False,
    report: Report = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Reads a file of facts."""
    with notes().status(f"Reading {visible(str(file))}") as status:
        found = read_facts(
            file,
            mapping(columns),
            encoding=settings.encoding,
            on_progress=lambda rows, share: status.update(f"{rows:,} rows, {share:.0%}"),
            max_bytes=int(settings.max_mb * 1e6),
        )
    if model is not None:
        found = _with_lengths(found, model, trust_remote_code)
    if report is not None:
        _write_report(found.problems, report)
    if out is not None:
        write_facts(found, out, settings.schema)
    if as_json:
        print_json(found.summary())
    else:
        _print(found)


def problem_table(problems: Sequence[Problem]) -> Table:
    """Problems as a table for the terminal."""
    table = Table("row", "field", "kind", "what is wrong", "what to do", box=None, pad_edge=False)
    for problem in problems:
        row = str(problem.row) if problem.row else "file"
        kind = f"{problem.severity}: {problem.kind}"
        cells = (row, problem.field, kind, problem.what, problem.mend)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table


def _print(found: FactFile) -> None:
    say(
        f"{found.format}: {found.rows} rows = {len(found)} facts + {found.merged} merged "
        f"+ {found.rejected} rejected"
    )
    if found.unused_columns:
        say(visible(f"Columns not used: {', '.join(found.unused_columns)}"))
    if not found.problems:
        say("No problems.")
        return
    say("Problems: " + ", ".join(f"{kind} {count}" for kind, count in found.kinds().items()))
    screen().print(problem_table(found.problems[:SHOWN]))
    if len(found.problems) > SHOWN:
        say(f"… and {len(found.problems) - SHOWN} more; --json or --report lists all.")


def _with_lengths(found: FactFile, name: str, trust_remote_code: bool) -> FactFile:
    """The same, with what is too long or special for a model among the problems."""
    from workbench.model.load import load_tokenizer
    from workbench.model.special import special_texts

    tokenizer, longest = load_tokenizer(name, trust_remote_code=trust_remote_code)

    def count(texts: list[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]

    limit = None if longest is None else longest - tokenizer.num_special_tokens_to_add()
    more = (
        *too_long(found.facts, count, limit, found.numbers),
        *special_tokens(found.facts, special_texts(tokenizer), found.numbers),
    )
    problems = sorted((*found.problems, *more), key=lambda problem: problem.row)
    return replace(found, problems=tuple(problems))


def _write_report(problems: Sequence[Problem], path: Path) -> None:
    try:
        path.write_text(report_csv(problems), encoding="utf-8", newline="")
    except OSError as error:
        raise FactsError(f"'{path}' cannot be written: {error.strerror}.") from error
