"""Facts in, a patch out: a run of any method, then which facts it learned, then its patch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.facts.fact import Fact
from workbench.methods.base import LOCFT_BF, MethodRun, find_method
from workbench.methods.events import Finished
from workbench.methods.onto import Onto, Way, start_run
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.work.events import Event, Work, follow
from workbench.work.settings import SettingsRecord

__all__ = ["EditResult", "edit", "editing", "left_by"]


@dataclass(frozen=True, slots=True)
class EditResult:
    """What a finished run leaves.

    Args:
        patch: the new weights.
        settings: as they were resolved.
        finished: the run's last event.
        learned: which facts are right by the strict protocol.
        learned_in: for each fact the last epoch in which it was wrong; None where nobody counts.
    """

    patch: Patch
    settings: SettingsRecord
    finished: Finished
    learned: tuple[bool, ...]
    learned_in: tuple[int, ...] | None = None

    @property
    def losses(self) -> tuple[float, ...]:
        """Mean loss of every epoch."""
        return self.finished.losses

    @property
    def reliability_strict(self) -> float:
        """Share of the facts that are right by the strict protocol."""
        return sum(self.learned) / len(self.learned)


def editing(run: MethodRun) -> Work[EditResult | None]:
    """Does a run; says its events, and returns what it leaves, or None when it was stopped.

    Args:
        run: not begun yet.

    Raises:
        WorkbenchError: as the method itself would.
    """
    finished: Finished | None = None
    for event in run.events():
        yield event
        if isinstance(event, Finished):
            finished = event
    return None if finished is None else left_by(run, finished)


def left_by(run: MethodRun, finished: Finished) -> EditResult:
    """What a run leaves as it is now.

    Args:
        run: between two events.
        finished: how it ended.
    """
    learned, epochs = tuple(run.learned()), run.learned_in()
    patch = run.patch({"reliability_strict": sum(learned) / len(learned)})
    known = None if epochs is None else tuple(epochs)
    return EditResult(patch, run.settings, finished, learned, known)


def edit(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: SettingsRecord | None = None,
    *,
    method: str = LOCFT_BF.key,
    onto: Patch | None = None,
    earlier: Sequence[Fact] = (),
    way: Way | Literal[""] = "",
    rehearsed: int | None = None,
    on_event: Callable[[Event], object] | None = None,
    **changes: Any,
) -> EditResult:
    """Compiles facts into a patch; the model stays as it is.

    Args:
        model: the base.
        facts: what it should say from now on.
        settings: of the method; None for all automatic.
        method: which one; see `workbench.methods.base.METHODS`.
        onto: an earlier edit of this base, to which the facts are added; None for none.
        earlier: the facts of that edit, as far as they are known.
        way: ``recompile`` all facts, or ``continue`` from the earlier edit; empty: LocFT-BF
            recompiles, others continue.
        rehearsed: how many earlier facts are trained again beside new ones when it continues;
            None for as many as there are new ones, where the method trains breadth-first.
        on_event: called with every event of the run.
        **changes: fields that differ from `settings`, such as ``at="6.mlp.down_proj"``.

    Raises:
        WorkbenchError: wrong facts, settings or locations, or no memory left.
    """
    chosen = find_method(method)
    if changes:
        data = (settings or chosen.settings()).as_dict() | changes
        settings = chosen.settings.from_dict(data)
    basis = None if onto is None else Onto(onto, tuple(earlier), way, rehearsed)
    result = follow(editing(start_run(chosen, model, facts, settings, basis)), on_event)
    assert result is not None  # nobody else holds the token
    return result
