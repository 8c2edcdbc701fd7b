"""The step of the recipe: from a batch of texts one update of the weights.

Several processes may share a batch: each takes the gradients of its own texts, these are added up,
and all make the same update. Invariant: how a batch is cut, and among how many it is shared,
changes memory and speed, never the update beyond rounding. Knows nothing about epochs.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

from workbench.errors import MemoryShortage
from workbench.measure.strict import learned_texts
from workbench.methods.drawn import DrawnForms
from workbench.methods.keep import KeepSet
from workbench.methods.locft_settings import ResolvedEditSettings
from workbench.methods.pieces import pass_cost, pieces_of, worth_reading
from workbench.methods.seen import Seen
from workbench.methods.together import Piece, logits_of, shared_pieces
from workbench.methods.tuned import TunedWeights
from workbench.model.hidden_states import HiddenStates
from workbench.model.language_model import LanguageModel
from workbench.model.memory import is_out_of_memory
from workbench.model.ranks import Ranks
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

    def pieces(self, texts: Sequence[int], kept: Sequence[int]) -> list[Piece]:
        """Texts of facts and of what must stay, as they go through the model together."""
        table, most = self.drawn.table, self.micro_batch
        if not self.drawn.many and not kept:
            worth = worth_reading(self.model, self.kept_from)
            found = pieces_of(table, texts, most, self.model.device, worth) if texts else []
            return [Piece(piece, []) for piece in found]
        if most == self.settings.batch_size:
            most += len(kept)  # memory has not said yet that it does not hold both
        alone = pass_cost(self.model, self.kept_from)
        return shared_pieces(table, texts, self.keep, kept, most, alone)

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
            self._gradients(seen, self.kept_now(len(texts), batch))
            seen.share(self.ranks)
            stepped = seen.loss >= self.settings.skip_loss
            if stepped:
                self._update(rate)
        return seen, stepped

    def kept_now(self, facts: int, batch: int) -> list[int]:
        """What must stay of which a step is reminded.

        Args:
            facts: of its batch.
            batch: which one of the run.
        """
        if self.keep is None or not self.settings.keep:
            return []
        return self.keep.drawn(math.ceil(self.settings.keep_share * facts), batch)

    def _gradients(self, seen: Seen, kept: list[int]) -> None:
        """Takes the gradients of this process's share of a batch, and of what must stay."""
        pieces = self.pieces(self.own(seen.texts), self.ranks.own_part(kept))
        is_known = self.ranks.alone and len(pieces) == 1
        for piece in pieces:
            asked = self.drawn.table, self.states, self.keep, piece
            of_facts, of_kept = logits_of(self.model, *asked)
            parts = []
            if piece.texts:
                losses = self._losses(piece.texts, of_facts, seen)
                parts.append(losses.mean() * (len(piece.texts) / len(seen.texts)))
            if self.keep is not None and piece.kept:
                found = self.keep.divergences(piece.kept, of_kept)
                parts.append(found.mean() * (self.settings.keep * len(piece.kept) / len(kept)))
            del of_facts, of_kept  # what the loss needs of them, it has
            loss = torch.stack(parts).sum() if len(parts) > 1 else parts[0]
            # No token may have reached the one expert that is tuned.
            reached = loss.requires_grad
            if reached and not (is_known and seen.loss < self.settings.skip_loss):
                loss.backward()  # type: ignore[no-untyped-call]
                self.tuned.collect_gradients()

    def _losses(self, texts: list[int], logits: torch.Tensor, seen: Seen) -> torch.Tensor:
        """Each text's mean cross-entropy on its target tokens, which is noted."""
        batch = self.drawn.table.batch(texts)
        losses = self.losses_of(logits, batch)
        seen.put(texts, losses, learned_texts(logits.detach(), batch))
        return losses

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
