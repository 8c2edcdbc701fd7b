"""LocFT-BF: facts in, a patch out.

The recipe of "Fine-tuning Done Right in Model Editing" (arXiv 2509.22072): Adam on one
well-chosen location, epochs over all facts in reshuffled mini-batches, cross-entropy on the
target's tokens only. Depth-first, the old way, is the same loop in another order.

Invariant: between two events the model is its untouched base, whatever the caller does next.
Knows nothing about files of facts, pages or processes.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from workbench.errors import MemoryShortage
from workbench.facts.fact import Fact
from workbench.facts.forms import Form, parse_forms
from workbench.facts.neighbours import are_few
from workbench.facts.subject import with_subjects
from workbench.measure.strict import strict_matches
from workbench.methods.base import LOCFT_BF
from workbench.methods.batch_step import BatchStep
from workbench.methods.checkpoint import Progress, read_checkpoint, write_checkpoint
from workbench.methods.drawn import DrawnForms
from workbench.methods.events import (
    BatchDone,
    EpochDone,
    Finished,
    MicroBatchHalved,
    Started,
    Stopped,
)
from workbench.methods.held import most_held
from workbench.methods.identity import require_same, run_identity
from workbench.methods.keep import KeepSet
from workbench.methods.kept_prompts import kept_prompts
from workbench.methods.locft_settings import EditSettings, ResolvedEditSettings
from workbench.methods.loss import text_losses
from workbench.methods.needs import Needs
from workbench.methods.run import Run
from workbench.methods.schedule import Schedule
from workbench.methods.seen import Seen
from workbench.methods.sparing import sparing_steps
from workbench.methods.states_told import told_of
from workbench.methods.tuned import TunedWeights
from workbench.methods.watched import WatchedNeighbours
from workbench.model.kept_states import keeping
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.memory import is_out_of_memory, release_cache
from workbench.model.ranks import ALONE, Ranks
from workbench.model.states import HiddenStates, advancing
from workbench.model.states_store import StatesStore
from workbench.model.tokens import TokenizedText
from workbench.work.events import Event, ending_early, mapped
from workbench.work.stop import Stop

__all__ = ["LocftRun"]

REHEARSED_FACTS = 100  # about so many, in two to four batches
REHEARSED_KEPT = 96  # prompts that must stay


class LocftRun(Run):
    """One run: facts compiled into a patch, step by step.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the model should say from now on.
        settings: None for all automatic.
        stop: the wish to end the run before its next batch, with `Stopped`.
        checkpoint: a file that `save_checkpoint` wrote; the run goes on from there, and on a CPU
            ends with the same bits as if it had never stopped.
        states_memory: bytes of main memory for kept hidden states before they go to disk; None
            takes half of what is free.
        states: what enters the lowest tuned layer, for these facts in this order, where somebody
            has computed it already.
        keep: what another run on these facts held, which need not be asked of the base again.
        watch: whether each epoch says what became of the facts' neighbours.
        store: where hidden states are kept beyond the run, those of its way too when it is broken
            off; None for nowhere.
        ranks: the processes that share the facts; each makes such a run, of all facts, and all do
            the same with it at the same time.

    Raises:
        FactsError: no facts, or one is too long for the model.
        SettingsError, LocationError: a setting does not fit this model.
        PatchError: the checkpoint cannot be read or belongs to another run.
    """

    method = LOCFT_BF.key
    can_resume = True
    losses_of = staticmethod(text_losses)
    weights_of: Callable[..., TunedWeights] = TunedWeights

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: EditSettings | None = None,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
        states_memory: int | None = None,
        states: HiddenStates | None = None,
        keep: KeepSet | None = None,
        watch: bool = True,
        store: StatesStore | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        asked = settings or EditSettings()
        super().__init__(model, facts, asked, stop=stop, checkpoint=checkpoint)
        keeping = any(fact.keep_prompts for fact in self.facts)
        self._resolved = asked.resolved(model.preset, len(self.facts)).for_facts(keeping)
        self.progress = Progress()
        self._locations = parse_locations(self.settings.at)
        self._schedule = Schedule.of(self.settings, len(self.facts))
        forms = parse_forms(self.settings.forms)
        known = with_subjects(self.facts)
        self._few = are_few(known, self.settings.other_subjects)
        seed, focus = self.settings.seed, self.settings.focus
        self._drawn = DrawnForms(model, known, forms, self._texts, seed, focus)
        self._keep = keep if self.settings.needs_kept else None
        if self.settings.needs_kept and keep is None:
            kinds, own = self.settings.kept, self.settings.other_subjects
            names, chat = [form.form for form in forms], model.preset.chat
            prompts = kept_prompts(known, kinds, seed, chat=chat, forms=names, subjects=own)
            self._keep = KeepSet(model, prompts, seed) if prompts else None
        self._watched: WatchedNeighbours | None = None
        self._watches = watch and ranks.leads
        self._ranks, self._store = ranks, store
        self._states = states
        assert states is None or (states.layer, len(states)) == (
            self.kept_from,
            len(self._drawn.table),
        )
        self._states_memory = states_memory
        self._seen: Sequence[int] = range(len(self._drawn.table))  # the texts that turns see
        self._tuned = self.weights_of(model, self._locations, self.settings.learning_rate)
        self._step = BatchStep(
            model,
            self.settings,
            self._drawn,
            self._tuned,
            self.losses_of,
            self._keep,
            self.kept_from,
            ranks,
            self.settings.micro_batch_size or self.settings.batch_size,
            states,
        )
        if checkpoint is not None:
            self.progress = read_checkpoint(Path(checkpoint), self._tuned, self._identity())
        self.progress.last_wrong = self.progress.last_wrong or [0] * len(self.facts)
        asking = len(self.facts) if self.settings.focus and self._drawn.many else 0
        self._needs = Needs(self._drawn, self.progress.text_losses, asking)

    @property
    def settings(self) -> ResolvedEditSettings:
        """As they were resolved for this model and these facts."""
        return self._resolved

    @property
    def keep(self) -> KeepSet | None:
        """What must stay, as this run holds it; None for nothing."""
        return self._keep

    @property
    def kept_texts(self) -> int:
        """See `Run.kept_texts`."""
        return len(self._step.own(self._seen))

    @property
    def kept_prompts(self) -> int:
        """See `Run.kept_prompts`."""
        return len(self._keep) if self._keep is not None else 0

    @property
    def kept_from(self) -> int:
        """The layer whose input is kept for every fact; 0 when nothing can be kept."""
        return self._locations[0].layer if self.model.states_kept else 0

    def first_batch(self) -> list[tuple[int, Form, TokenizedText]]:
        """The texts of the first step: which fact each is of, in which form, as tokens."""
        drawn = self._drawn
        texts = drawn.texts(self._schedule.rows(0, 0), 0, {})
        return [(drawn.fact(text), drawn.form(text), drawn.table.texts[text]) for text in texts]

    def plan(self) -> Started:
        """What the run will do, without doing any of it."""
        return Started(
            facts=len(self.facts),
            at=self.settings.at,
            learning_rate=self.settings.learning_rate,
            batch_size=self.settings.batch_size,
            epochs=self._schedule.epochs,
            steps=self._schedule.epochs * self._schedule.batches_per_epoch,
            weights=self._tuned.count,
            memory_bytes=most_held(self._step, self._schedule, self._locations),
            kept_from=self.kept_from,
            fallback=self.model.fallback,
            resumed_epoch=self.progress.epoch,
            streams=self.model.placement.told_of_steps(self.kept_from),
            processes=self._ranks.count,
        )

    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`.

        Raises:
            MemoryShortage: not even a micro-batch of one fact fits.
            RankLost: another of the processes that share it is gone; it can be kept as it is.
            PatchError: the others do not make the same run.
        """
        progress, schedule = self.progress, self._schedule
        began = time.monotonic() - progress.seconds
        yield self.plan()
        require_same(self._ranks, {} if self._ranks.alone else self._identity(), progress.batches)
        yield from self._keep_states()
        while progress.epoch < schedule.epochs and not progress.reason:
            while progress.cursor < schedule.batches_per_epoch:
                if self._ranks.any(self.stop.asked):
                    yield Stopped(progress.epoch, schedule.epochs)
                    return
                for event in self._batch():
                    progress.seconds = time.monotonic() - began
                    yield event
            yield self._end_epoch()
        progress.reason = progress.reason or "epochs"
        yield Finished(
            reason="converged" if progress.reason == "converged" else "epochs",
            epochs=progress.epoch,
            steps=progress.updates,
            seconds=progress.seconds,
            losses=tuple(progress.losses),
        )

    def _keep_states(self) -> Iterator[Event]:
        """Computes what enters the lowest tuned layer, once for every text."""
        if self._keep is not None and not self.stop.asked:
            total = len(self._keep)
            asking = self._keep.preparing(self.kept_from, self._states_memory)
            told = mapped(asking, lambda way: told_of(way, total, kept=True))
            yield from ending_early(told, self.stop)
        if self._keep is not None and self.settings.spare and not self.stop.asked:
            names, strength = self._tuned.master, self.settings.spare
            top = self._locations[-1].layer
            self._tuned.sparing = sparing_steps(self.model, names, self._keep, strength, top)
        if self.kept_from == 0 or self._states is not None or self.stop.asked:
            return
        table, limit = self._drawn.table, self._states_memory
        own = self._step.own(self._seen)
        if not own:
            return
        to, store = self.kept_from, self._store
        if store is None:
            steps = advancing(self.model, table, None, to, memory_limit=limit, rows=own)
        else:
            steps = keeping(self.model, table, to, store, memory_limit=limit, rows=own)
        total = len(own)
        work = mapped(steps, lambda way: told_of(way, total))
        self._states = self._step.states = yield from ending_early(work, self.stop)

    def _batch(self) -> Iterator[Event]:
        """One batch: the step of the recipe, in smaller pieces when memory runs out."""
        progress, settings = self.progress, self.settings
        rows = self._schedule.rows(progress.epoch, progress.cursor, self._needs.values)
        turn = self._schedule.turn(progress.epoch, progress.cursor)
        texts = self._drawn.texts(rows, turn, progress.text_losses)
        rate = self._schedule.rate_share(progress.epoch, progress.cursor)
        if self._schedule.depth_first and progress.cursor == 0:
            self._tuned.restart_optimizer()
        while True:
            try:
                seen, stepped = self._step(texts, progress.batches, rate)
                break
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                smaller = min(self._step.micro_batch, len(rows)) // 2
                if smaller == 0:
                    raise MemoryShortage(
                        f"The memory of {self.model.device} does not hold one fact's step. Choose "
                        "a later layer, a smaller dtype, or another device."
                    ) from error
                self._step.micro_batch = smaller
            release_cache(self.model.device)
            yield MicroBatchHalved(self._step.micro_batch)
        if self._schedule.depth_first:
            progress.begin_epoch(progress.cursor)
        self._note(seen)
        progress.add(seen.loss, seen.learned, len(rows), stepped)
        if self._schedule.depth_first and seen.loss < settings.stop_loss:
            progress.cursor = self._schedule.batches_per_epoch
        yield BatchDone(progress.epoch + 1, progress.batches, seen.loss, skipped=not stepped)

    def _note(self, seen: Seen) -> None:
        """Remembers of a batch's texts what is told of them later."""
        progress, drawn = self.progress, self._drawn
        for text, loss, right in seen.each():
            if drawn.many:
                progress.add_text(text, loss, right)
                self._needs.seen(text)
            if not right:
                progress.last_wrong[drawn.fact(text)] = progress.epoch + 1

    def _end_epoch(self) -> EpochDone:
        progress = self.progress
        learned, by_form = progress.learned_share, progress.learned_by(self._drawn.form)
        progress.end_epoch()
        if not self._schedule.depth_first and self._loss_now() < self.settings.stop_loss:
            progress.reason = "converged"
        return EpochDone(
            epoch=progress.epoch,
            epochs=self._schedule.epochs,
            loss=progress.losses[-1],
            learned=learned,
            seconds=progress.seconds,
            by_form=by_form or None,
            neighbours=self._neighbours_unchanged(),
        )

    def _neighbours_unchanged(self) -> float | None:
        if not self._watches:
            return None
        if self._watched is None:
            self._watched = WatchedNeighbours(
                self.model, self.facts, self.settings.seed, self.kept_from
            )
        with self.applied():
            return self._watched.unchanged()

    def unwatch(self) -> None:
        """Says no more what became of the facts' neighbours."""
        self._watches = False

    def _loss_now(self) -> float:
        """The mean loss of the epoch that ended; infinite while a form of a fact had no turn."""
        whole = not self._drawn.many or len(self.progress.text_losses) == self._drawn.trained
        return self.progress.losses[-1] if whole else math.inf

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""
        return self._tuned.seen

    def learned(self) -> list[bool]:
        """Which facts the weights so far get right; each process judges its own.

        Raises:
            RankLost: another of the processes is gone.
        """
        own = self._ranks.own(range(len(self.facts)))
        right = torch.zeros(len(self.facts))
        with self.applied():
            judged = strict_matches(self.model, self._texts, self._states, own)
        right[own] = torch.tensor(judged, dtype=right.dtype)
        self._ranks.add(right)
        return [value > 0 for value in right.tolist()]

    def rehearsal(self) -> "LocftRun":
        """A run of one pass over the first batches, in which every batch takes its step.

        The order of the facts does not matter for how long a step takes.
        """
        size = self.settings.batch_size
        few = self.facts[: size * min(4, max(2, REHEARSED_FACTS // size))]
        settings = replace(self.settings, epochs=1, pipeline="breadth-first", skip_loss=0.0)
        keep = self._keep.some(REHEARSED_KEPT) if self._keep is not None else None
        run = LocftRun(self.model, few, settings, keep=keep)
        run._seen = run._drawn.texts(range(len(few)), 0, {})
        return run

    def learned_in(self) -> list[int] | None:
        """For each fact the last epoch in which it was still wrong when its turn came.

        0 for a fact that never was; None depth-first, where facts do not share epochs.
        """
        return None if self._schedule.depth_first else list(self.progress.last_wrong)

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later.

        Raises:
            PatchError: the file cannot be written.
        """
        write_checkpoint(Path(path), self._tuned, self.progress, self._identity())

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to go on."""
        tuned, systems = self._tuned.master, self._drawn.systems
        return run_identity(self.model, self.facts, self.settings, tuned, systems, self._few)
