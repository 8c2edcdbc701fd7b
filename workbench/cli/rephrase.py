"""`workbench rephrase`: facts in other words, as the model writes them, and which mean the same."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workbench.cli.common import (
    Columns,
    Encoding,
    FactsPath,
    Json,
    load,
    print_json,
    read_reported,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched_or_stopped
from workbench.facts.write import write_facts, written_ending
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.methods.rephrased import Rephrased, passed
from workbench.model.choice import ModelChoice
from workbench.work.records import as_data
from workbench.work.words import count

__all__ = ["rephrase"]


@command("rephrase")
def rephrase(
    file: FactsPath,
    settings: RephraseSettings,
    choice: ModelChoice,
    columns: Columns = None,
    encoding: Encoding = "",
    accept: Annotated[
        Path | None,
        typer.Option(
            "--accept",
            metavar="FILE",
            help="Accept all that mean the same: write the facts with them as words to train on "
            "as .csv, .tsv, .json, .jsonl, or that .gz. Without it nothing is added to a fact.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Has a model write facts in other words."""
    if accept is not None:
        written_ending(accept)
    found = read_reported(file, columns, encoding)
    base = load(choice)

    from workbench.methods.rephrasing import rephrasing

    written = watched_or_stopped(
        "Writing other words",
        lambda stop: rephrasing(base, found.facts, settings, stop=stop),
        "Stopped; nothing was kept.",
    )
    # Told first: a file that cannot be written takes nothing away.
    print_json(as_data(written)) if as_json else _print(written)
    if accept is not None:
        write_facts(
            (
                replace(fact, wordings=(*fact.wordings, *_that_passed(own)))
                for fact, own in zip(found.facts, written, strict=True)
            ),
            accept,
        )
        if not as_json:
            say(f"The facts with {count(passed(written), 'wording')} more are in {accept}.")


def _that_passed(rephrased: Rephrased) -> list[str]:
    return [wording.text for wording in rephrased.wordings if not wording.against]


def _print(written: list[Rephrased]) -> None:
    table = Table("prompt", "in other words", "against it", box=None, pad_edge=False)
    for each in written:
        for row, one in enumerate(each.wordings):
            first = each.prompt if row == 0 else ""
            table.add_row(*(Text(visible(text)) for text in (first, one.text, one.against)))
    screen().print(table)
    every = sum(len(each.wordings) for each in written)
    say(f"{passed(written):,} of {count(every, 'wording')} mean the same to the model.")
