"""The command line: the same actions as on the page.

Invariants: with ``--json`` a command prints one JSON value to standard output and nothing else
there; an error that a person can mend is one line on standard error and exit code 2. The engine
is imported only by the commands that need it, so that help answers at once.
"""

import sys
from typing import Annotated

import typer

from workbench import __version__
from workbench.cli.ask import probe
from workbench.cli.common import visible
from workbench.cli.edit import edit
from workbench.cli.evaluate import evaluate
from workbench.cli.export import export
from workbench.cli.facts import facts
from workbench.cli.mcp import mcp
from workbench.cli.options import with_options
from workbench.cli.plan import plan
from workbench.cli.rephrase import rephrase
from workbench.cli.scan import scan
from workbench.cli.serve import serve
from workbench.cli.serve_model import serve_model
from workbench.cli.stress import stress
from workbench.cli.study import study
from workbench.cli.sweep import sweep
from workbench.cli.verify import verify
from workbench.errors import WorkbenchError
from workbench.work.proxies import settle_proxies

__all__ = ["build", "main"]

COMMANDS = (
    facts,
    plan,
    rephrase,
    scan,
    sweep,
    edit,
    probe,
    evaluate,
    stress,
    study,
    export,
    verify,
    serve_model,
    serve,
    mcp,
)


def build() -> typer.Typer:
    """The command line with the actions and methods that there are by now."""
    app = typer.Typer(
        name="workbench",
        help="Edit facts in open-weights language models with LocFT-BF.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(options)
    for function in COMMANDS:
        app.command()(with_options(function))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"workbench {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Edit facts in open-weights language models with LocFT-BF."""


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and ends the process with its exit code.

    Args:
        arguments: the words after ``workbench``; None takes those of this process.
    """
    settle_proxies()
    try:
        build()(args=arguments)
    except WorkbenchError as error:
        print("Error: " + visible(" ".join(str(error).split())), file=sys.stderr)
        raise SystemExit(2) from None
