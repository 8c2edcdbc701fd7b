"""`workbench serve-model`: a base and its edits as an OpenAI-compatible endpoint."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import choice_for, load
from workbench.cli.options import command
from workbench.errors import SettingsError
from workbench.model.choice import ModelChoice
from workbench.ship.serve_settings import ServeModelSettings

__all__ = ["serve_model"]


@command("serve-model")
def serve_model(
    settings: ServeModelSettings,
    choice: ModelChoice,
    named: bool,
    patch: Annotated[
        list[Path] | None,
        typer.Option(
            "--patch",
            metavar="DIR",
            help="The folder of a patch, served under its name; may be given often.",
        ),
    ] = None,
) -> None:
    """Serves models."""
    from workbench.serving.server import named_patches, opened_session
    from workbench.serving.server import serve_model as serve

    patches = named_patches(patch or [])
    store = None
    if settings.session:
        store = opened_session(settings.session, settings.sessions)
        edits = store.settings.model
        if named and choice.name != edits.name:
            raise SettingsError(f"That session edits {edits.name}; leave --model out.")
        choice = _of_session(edits, choice)
    else:
        choice = choice_for(choice, named, next(iter(patches.values()), None))
    serve(load(choice), patches, settings, store)


def _of_session(edits: ModelChoice, said: ModelChoice) -> ModelChoice:
    """A session's model where a person said that it should be, else where the session has it."""
    usual, here = ModelChoice().as_dict(), said.as_dict()
    more = {name: value for name, value in here.items() if value != usual[name] and name != "name"}
    return replace(edits, **more)
