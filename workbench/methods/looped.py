"""Runs of methods that go through the facts in LocFT-BF's loop, and differ in what a step does.

The loop is a run of LocFT-BF at the settings that stand for the method's own; what it says and
leaves is the method's. So states are kept, memory is shared out, and runs go on, for all alike.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch

from workbench.facts.fact import Fact
from workbench.facts.forms import Form
from workbench.methods.events import Started
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.method_settings import MethodSettings
from workbench.methods.run import Run
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenizedText
from workbench.work.events import Event
from workbench.work.stop import Stop

__all__ = ["BreadthFirstRun", "LoopedRun"]


class LoopedRun(Run):
    """One run; see `LocftRun` for its arguments, of which ``more`` are some, and errors."""

    can_resume = True

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: MethodSettings,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
        **more: Any,
    ) -> None:
        super().__init__(model, facts, settings, stop=stop, checkpoint=checkpoint)
        self._how: Any = settings.resolved(model.preset, len(self.facts))
        self._more = more
        self._loop = self.loop(checkpoint)

    @abstractmethod
    def loop(self, checkpoint: str | Path | None) -> LocftRun:
        """The run of LocFT-BF that does the work.

        Args:
            checkpoint: what an earlier part of it saved.
        """

    @property
    def settings(self) -> Any:
        """As they were resolved for this model and these facts."""
        return self._how

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""
        return self._loop.weights

    def first_batch(self) -> list[tuple[int, Form, TokenizedText]]:
        """The texts of the first step, see `LocftRun.first_batch`."""
        return self._loop.first_batch()

    def plan(self) -> Started:
        """What the run will do, without doing any of it."""
        return self._loop.plan()

    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`."""
        return self._loop.events()

    def learned(self) -> list[bool]:
        """Which facts the weights so far get right, by the strict protocol."""
        return self._loop.learned()

    def learned_in(self) -> list[int] | None:
        """For each fact the last epoch in which it was wrong; None where facts share none."""
        return self._loop.learned_in()

    def unwatch(self) -> None:
        """Says no more what became of the facts' neighbours."""
        self._loop.unwatch()

    @property
    def kept_texts(self) -> int:
        """See `Run.kept_texts`."""
        return self._loop.kept_texts

    @property
    def kept_prompts(self) -> int:
        """See `Run.kept_prompts`."""
        return self._loop.kept_prompts

    def rehearsal(self) -> Run | None:
        """A run of a few steps on a few of the facts, to tell how long one takes."""
        return self._loop.rehearsal()

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later.

        Raises:
            PatchError: the file cannot be written.
        """
        self._loop.save_checkpoint(path)


class BreadthFirstRun(LoopedRun):
    """A run breadth-first in mini-batches, of methods with `BreadthFirstSettings`."""

    inner: ClassVar[type[LocftRun]]
    """The loop; made with the method's settings before what `LocftRun` is made with."""

    def loop(self, checkpoint: str | Path | None) -> LocftRun:
        """See `LoopedRun.loop`."""
        how = self.settings
        names = ("at", "learning_rate", "batch_size", "epochs", "seed")
        own = {name: getattr(how, name) for name in names}
        steps = EditSettings(recipe="published", **own)
        made: Callable[..., LocftRun] = partial(self.inner, how)
        return made(
            self.model, self.facts, steps, stop=self.stop, checkpoint=checkpoint, **self._more
        )
