"""`workbench verify`: which facts hold in what an edit was written to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from workbench.cli.common import (
    STOPPED,
    Columns,
    Encoding,
    Json,
    notes,
    print_json,
    read_reported,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.ship.verify_settings import VerifySettings
from workbench.work.stop import Cancelled, Stop
from workbench.work.words import count

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

    stop = Stop()
    try:
        done = watched(f"Asking {model}", verifying(model, found, settings, stop), stop)
    except Cancelled:
        notes().print("Stopped.", markup=False)
        raise typer.Exit(STOPPED) from None
    print_json(done.as_dict()) if as_json else _print(done)


def _print(done: "Verified") -> None:
    say(visible(f"{count(len(done.prompts), 'fact')}, asked in {done.runtime}:"))
    table = Table("form", "strict", "contained", box=None, pad_edge=False)
    for one in done.forms:
        table.add_row(one.form, str(one.strict), str(one.contained))
    screen().print(table)
    first = done.forms[0].form
    missing = done.missing(first)
    for prompt, said in missing[:SHOWN]:
        say(visible(f"  does not hold ({first}): {prompt} -> {said}"))
    if len(missing) > SHOWN:
        say(f"  … and {len(missing) - SHOWN} more; --json lists all.")
