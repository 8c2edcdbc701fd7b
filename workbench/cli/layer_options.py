"""What `workbench scan` and `workbench sweep` share: their sample, their plot, the preset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.errors import PatchError
from workbench.search.sweep_settings import SweepSettings

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel

__all__ = [
    "DEFAULTS",
    "HELP",
    "PlotPath",
    "SampleSize",
    "Seed",
    "preset_record",
    "require_writable",
]

HELP = SweepSettings.help()
DEFAULTS = SweepSettings()

SampleSize = Annotated[int, typer.Option("--sample", help=HELP["sample"])]
Seed = Annotated[int, typer.Option("--seed", help=HELP["seed"])]
PlotPath = Annotated[
    Path | None,
    typer.Option("--plot", metavar="HTML", help="Also write a plot, as one file for a browser."),
]


def require_writable(plot: Path | None) -> None:
    """Makes sure, before any work is done, that a plot can be written.

    Raises:
        PatchError: its folder is not there, or a folder has its name.
    """
    if plot is not None and (plot.is_dir() or not plot.absolute().parent.is_dir()):
        raise PatchError(f"'{plot}' cannot be written. Name a file in a folder that exists.")


def preset_record(base: "LanguageModel") -> dict[str, Any]:
    """Where a model's preset tunes and where that comes from, as JSON-ready data."""
    preset = base.preset
    return {"at": list(preset.at), "source": preset.source, "is_guess": preset.is_guess}
