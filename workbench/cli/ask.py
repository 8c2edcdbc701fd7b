"""`workbench probe`: what a model says, and what it says with a patch."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workbench.cli.common import (
    Json,
    PatchPath,
    load_base_and_patch,
    notes,
    print_json,
    say,
    screen,
    visible,
)
from workbench.cli.options import command
from workbench.errors import SettingsError
from workbench.measure.probe_settings import ProbeSettings
from workbench.model.choice import ModelChoice
from workbench.work.words import count, duration

__all__ = ["probe"]


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

    wait = base.summary().answer_seconds(settings.max_new_tokens, 2 if edit is not None else 1)
    if wait:
        asked = count(len(prompts), "prompt")
        told = f"Layers are read for every token: about {duration(wait)} for {asked}."
        notes().print(told, markup=False, soft_wrap=True)
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
