"""`workbench probe` and `export`: what a patched model says, and the full model with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workbench.cli.common import (
    STOPPED,
    Json,
    PatchPath,
    load_base_and_patch,
    notes,
    print_json,
    read_reported,
    require_new_folder,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.errors import SettingsError
from workbench.measure.probe_settings import ProbeSettings
from workbench.model.choice import ModelChoice
from workbench.work.stop import Cancelled, Stop

__all__ = ["export", "probe"]


@command("probe")
def probe(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT…", help="Texts to continue.")],
    settings: ProbeSettings,
    choice: ModelChoice,
    named: bool,
    patch: PatchPath = None,
    as_json: Json = False,
) -> None:
    """Asks a model."""
    for prompt in prompts:
        # What a shell passes on in another encoding arrives as lone surrogates.
        if prompt != prompt.encode("utf-8", "ignore").decode():
            raise SettingsError(f"The prompt '{visible(prompt)}' is not UTF-8 text. Type it anew.")
    base, edit = load_base_and_patch(choice, named, patch)

    from workbench.measure.probe import probe as ask

    found = ask(base, prompts, edit, **settings.as_dict())
    if as_json:
        print_json(
            [
                {
                    "prompt": row.prompt,
                    "how": row.before.how or "greedy",
                    "before": row.before.text,
                    "after": row.after.text if row.after else None,
                    "before_top": row.before.top,
                    "after_top": row.after.top if row.after else None,
                }
                for row in found
            ]
        )
        return
    table = Table("prompt", "before", *(["after"] if edit else []), box=None, pad_edge=False)
    for row in found:
        after = [row.after.text] if row.after else []
        table.add_row(*(Text(visible(text)) for text in (row.prompt, row.before.text, *after)))
    screen().print(table)
    if settings.as_shipped:
        say(visible(found[0].before.how))


@command("export")
def export(
    patch: Annotated[Path, typer.Option("--patch", metavar="DIR", help="The folder of a patch.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The model's new folder.")],
    choice: ModelChoice,
    named: bool,
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="FILE", help="The facts of the patch, to ask a few of."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Writes the edited model."""
    require_new_folder(out)
    prompts = [fact.prompt for fact in read_reported(facts).facts] if facts is not None else []
    base, edit = load_base_and_patch(choice, named, patch)
    assert edit is not None

    from workbench.model.export import exporting

    stop = Stop()
    try:
        done = watched(
            f"Writing {out}", exporting(base, edit.applied, out, prompts, stop=stop), stop
        )
    except Cancelled:
        notes().print(f"Stopped; {out} was not made.", markup=False, soft_wrap=True)
        raise typer.Exit(STOPPED) from None
    if as_json:
        said = {"model": base.name, "patch": str(patch), "folder": str(done.folder)}
        print_json(said | {"checked": done.checked})
    else:
        say(f"The edited model is in {done.folder}; transformers loads it from there.")
        say(
            f"Loaded again, it gave the answers of the edited model to all {done.checked} prompts "
            "that it was asked."
        )
