"""`workbench serve-model`: a base and its edits as an OpenAI-compatible endpoint."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import load
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
    from dataclasses import replace

    from workbench.serving.server import named_patches, opened_session
    from workbench.serving.server import serve_model as serve

    patches = named_patches(patch or [])
    store = None
    if settings.session:
        store = opened_session(settings.session, settings.sessions)
        edits = store.settings.model
        if named and choice.name != edits.name:
            raise SettingsError(f"That session edits {edits.name}; leave --model out.")
        choice = edits
    elif patches and not named:
        base = next(iter(patches.values())).metadata["base"]["name"]
        choice = replace(choice, name=str(base))
    serve(load(choice), patches, settings, store)
