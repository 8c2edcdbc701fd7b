"""The rows of a sweep as a file, so that a sweep that was broken off can go on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.facts import Fact
from workbench.model.language_model import LanguageModel
from workbench.search.score import ScoreWeights
from workbench.search.sweep import Sweep
from workbench.search.sweep_events import LocationDone
from workbench.search.sweep_settings import SweepSettings
from workbench.work.event_file import EventFile

__all__ = ["SweepFile", "open_sweep"]


class SweepFile(EventFile):
    """Rows kept in a folder.

    Args:
        folder: is made when the first row is added.
        identity: `Sweep.identity` of the sweep at hand.

    Raises:
        PatchError: the folder holds another sweep, or something that is none.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        super().__init__(folder / "sweep.jsonl", identity, "sweep")

    @property
    def rows(self) -> list[LocationDone]:
        """The rows that are kept."""
        return [event for event in self.events if isinstance(event, LocationDone)]


def open_sweep(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SweepSettings,
    folder: Path | None,
    weights: ScoreWeights | None = None,
) -> tuple[Sweep, SweepFile | None]:
    """A sweep that goes on from what a folder keeps of it, with the file to keep more in.

    Args:
        model: the model.
        facts: what it draws from.
        settings: of the sweep.
        folder: where it is kept; none: it is not.
        weights: of the score, see `Sweep`.

    Raises:
        PatchError: see `SweepFile`.
        FactsError, LocationError: see `Sweep`.
    """
    run = Sweep(model, facts, settings, weights=weights)
    if folder is None:
        return run, None
    kept = SweepFile(folder, run.identity())
    if not kept.rows:
        return run, kept
    return Sweep(model, facts, settings, weights=weights, done=kept.rows), kept
