"""`workbench verify`: which facts hold in what an edit was written to."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from workbench.cli.common import (
    Columns,
    Encoding,
    Json,
    print_json,
    read_reported,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched_or_stopped
from workbench.ship.verify_settings import VerifySettings
from workbench.work.words import count, size

if TYPE_CHECKING:
    from workbench.ship.verified import Verified

__all__ = ["verify"]

SHOWN = 10


@command("verify")
def verify(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A folder, a hub id, a GGUF file, an adapter, a patch, or the address of an "
            "OpenAI-compatible endpoint.",
        ),
    ],
    facts: Annotated[Path, typer.Option("--facts", metavar="FILE", help="The facts to ask.")],
    settings: VerifySettings,
    columns: Columns = None,
    encoding: Encoding = "",
    as_json: Json = False,
) -> None:
    """Asks facts."""
    found = read_reported(facts, columns, encoding).facts

    from workbench.ship.verify import verifying

    done = watched_or_stopped(
        f"Asking {model}", lambda stop: verifying(model, found, settings, stop), "Stopped."
    )
    print_json(done.as_dict()) if as_json else _print(done)


def _print(done: "Verified") -> None:
    say(visible(f"{count(len(done.prompts), 'fact')}, asked in {done.runtime}:"))
    then = done.quantization
    more = (f"strict in {then}", f"contained in {then}") if then else ()
    table = Table("form", "strict", "contained", *more, box=None, pad_edge=False)
    for place, one in enumerate(done.forms):
        again = (
            [str(n) for n in (done.after[place].strict, done.after[place].contained)]
            if then
            else []
        )
        table.add_row(one.form, str(one.strict), str(one.contained), *again)
    screen().print(table)
    if then:
        say(f"As {then} it would take {size(done.bytes)}.")
        _print_some(f"is lost in {then} ({done.forms[0].form})", done.lost)
    first = done.forms[0].form
    _print_some(f"does not hold ({first})", done.missing(first))


def _print_some(what: str, facts: Sequence[tuple[str, str]]) -> None:
    for prompt, said in facts[:SHOWN]:
        say(visible(f"  {what}: {prompt} -> {said}"))
    if len(facts) > SHOWN:
        say(f"  … and {len(facts) - SHOWN} more; --json lists all.")
