"""Facts in, a patch out, in one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.facts.fact import Fact
from workbench.methods.events import Finished
from workbench.methods.locft_bf import Edit
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.work.events import Event

__all__ = ["Edit", "EditResult", "edit"]


@dataclass(frozen=True, slots=True)
class EditResult:
    """What a finished run leaves.

    Args:
        patch: the new weights.
        settings: as they were resolved.
        finished: the run's last event.
        learned: which facts are right by the strict protocol.
    """

    patch: Patch
    settings: EditSettings
    finished: Finished
    learned: tuple[bool, ...]

    @property
    def losses(self) -> tuple[float, ...]:
        """Mean loss of every epoch."""
        return self.finished.losses

    @property
    def reliability_strict(self) -> float:
        """Share of the facts that are right by the strict protocol."""
        return sum(self.learned) / len(self.learned)


def edit(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: EditSettings | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
    **changes: Any,
) -> EditResult:
    """Compiles facts into a patch; the model stays as it is.

    Args:
        model: the base.
        facts: what it should say from now on.
        settings: None for all automatic.
        on_event: called with every event of the run.
        **changes: fields of `EditSettings` that differ from `settings`, such as
            ``at="6.mlp.down_proj"``.

    Raises:
        WorkbenchError: wrong facts, settings or locations, or no memory left.
    """
    if changes:
        data = (settings or EditSettings()).as_dict() | changes
        settings = EditSettings.from_dict(data)
    run = Edit(model, facts, settings)
    for event in run.events():
        if on_event is not None:
            on_event(event)
        if isinstance(event, Finished):
            finished = event
    learned = tuple(run.learned())
    metrics = {"reliability_strict": sum(learned) / len(learned)}
    return EditResult(run.patch(metrics), run.settings, finished, learned)
