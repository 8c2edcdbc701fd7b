"""The step of the recipe: from a batch of texts one update of the weights.

Several processes may share a batch: each takes the gradients of its own texts, these are added up,
and all make the same update. Invariant: how a batch is cut, and among how many it is shared,
changes memory and speed, never the update beyond rounding. Knows nothing about epochs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

from workbench.errors import MemoryShortage
from workbench.measure.strict import learned_texts
from workbench.methods.drawn import DrawnForms
from workbench.methods.keep import KeepSet
from workbench.methods.locft_settings import ResolvedEditSettings
from workbench.methods.pieces import pieces_of, worth_reading
from workbench.methods.seen import Seen
from workbench.methods.tuned import TunedWeights
from workbench.model.language_model import LanguageModel
from workbench.model.memory import is_out_of_memory
from workbench.model.ranks import Ranks
from workbench.model.states import HiddenStates, kept_logits
from workbench.model.tokens import TokenBatch

__all__ = ["BatchStep"]

Losses = Callable[[torch.Tensor, TokenBatch], torch.Tensor]


@dataclass
class BatchStep:
    """What makes the updates of a run.

    Args:
        model: the base.
        settings: of the run.
        drawn: the facts in their forms.
        tuned: the weights.
        losses_of: each text's loss, from the logits of its targets.
        keep: what must stay; None for nothing.
        kept_from: the layer whose input is kept for every text; 0 for none.
        ranks: the processes that share each batch.
        micro_batch: most texts on the device at once.
        states: what enters that layer, once it is known.
    """

    model: LanguageModel
    settings: ResolvedEditSettings
    drawn: DrawnForms
    tuned: TunedWeights
    losses_of: Losses
    keep: KeepSet | None
    kept_from: int
    ranks: Ranks
    micro_batch: int
    states: HiddenStates | None = None

    def own(self, texts: Iterable[int]) -> list[int]:
        """Those texts that this process answers for: of its own facts, in every form."""
        return [text for text in texts if self.ranks.owns(self.drawn.fact(text))]

    def pieces(self, texts: Sequence[int]) -> list[list[int]]:
        """Texts in pieces of similar length."""
        if not texts:
            return []
        worth = worth_reading(self.model, self.kept_from)
        return pieces_of(self.drawn.table, texts, self.micro_batch, self.model.device, worth)

    def __call__(self, texts: Sequence[int], batch: int, rate: float) -> tuple[Seen, bool]:
        """One update of the weights.

        Args:
            texts: of the batch, those of all processes.
            batch: which one of the run, which decides what must stay is drawn.
            rate: the share of the learning rate.

        Returns:
            How the texts were when they were seen, and whether the weights were changed.

        Raises:
            RankLost: another process is gone; the weights are as they were before.
            MemoryShortage: the update does not fit where other processes have made it.
        """
        seen = Seen(texts)
        with self.tuned.training():
            self._gradients(seen)
            if not self.ranks.alone:
                self._hold(len(texts), batch)  # now, while no other process waits for this one
            seen.share(self.ranks)
            stepped = seen.loss >= self.settings.skip_loss
            if stepped and self.ranks.alone:
                self._hold(len(texts), batch)
            if stepped:
                self._update(rate)
        return seen, stepped

    def _gradients(self, seen: Seen) -> None:
        """Takes the gradients of this process's share of a batch."""
        pieces = self.pieces(self.own(seen.texts))
        is_known = self.ranks.alone and len(pieces) == 1
        for piece in pieces:
            losses = self._forward(piece, seen)
            # No token may have reached the one expert that is tuned.
            reached = losses.requires_grad
            if reached and not (is_known and seen.loss < self.settings.skip_loss):
                share = len(piece) / len(seen.texts)
                (losses.mean() * share).backward()  # type: ignore[no-untyped-call]
                self.tuned.collect_gradients()

    def _forward(self, texts: list[int], seen: Seen) -> torch.Tensor:
        """Each text's mean cross-entropy on its target tokens, which is noted."""
        batch = self.drawn.table.batch(texts)
        logits = kept_logits(self.model, batch, texts, self.states)
        losses = self.losses_of(logits, batch)
        seen.put(texts, losses, learned_texts(logits.detach(), batch))
        return losses

    def _hold(self, count: int, batch: int) -> None:
        """Adds the gradient of what must stay, from as many prompts as the batch has facts."""
        if self.keep is None or not self.settings.keep:
            return
        rows = self.keep.drawn(count, batch)
        for piece in self.keep.pieces(self.ranks.own_part(rows), self.micro_batch):
            loss = self.keep.loss(piece) * (self.settings.keep * len(piece) / len(rows))
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
                self.tuned.collect_gradients()

    def _update(self, rate: float) -> None:
        """Changes the weights by the gradients of all processes."""
        try:
            self.tuned.share_gradients(self.ranks)
            self.tuned.step(rate)
        except Exception as error:
            if self.ranks.alone or not is_out_of_memory(error):
                raise
            # The others have made it, so that this one cannot try again with less.
            raise MemoryShortage(
                f"The memory of {self.model.device} does not hold Adam's moments beside the "
                "model. Tune fewer weights, or choose a smaller dtype."
            ) from error
