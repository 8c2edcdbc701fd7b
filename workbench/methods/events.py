"""What a run says while it works, the same for the page, the commands and the tests."""

from dataclasses import dataclass
from typing import Literal

from workbench.work.events import Event, Told
from workbench.work.words import layer_line

__all__ = [
    "BatchDone",
    "EpochDone",
    "Finished",
    "Judged",
    "MicroBatchHalved",
    "StageProgress",
    "Started",
    "StatesProgress",
    "Stopped",
]


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The plan of a run, before its first step.

    Args:
        facts: how many facts are compiled.
        at: the tuned locations.
        learning_rate: Adam's rate.
        batch_size: facts per update.
        epochs: most passes over each fact.
        steps: most updates the run can take.
        weights: how many weights are tuned.
        memory_bytes: estimate of what the run needs on top of the model: master copy, gradient,
            Adam's two moments, the kept hidden states, and what a backward pass holds on to.
        kept_from: the layer whose input is kept for every fact; 0 when nothing can be kept.
        fallback: why the plain forward is used instead of kept states; empty when it is not.
        resumed_epoch: epochs already done by the run that this one continues.
        streams: which layers are read in every step and why, or that none is, in a sentence; empty
            for a model that is in memory as a whole.
        processes: how many share the facts.
    """

    facts: int
    at: tuple[str, ...]
    learning_rate: float
    batch_size: int
    epochs: int
    steps: int
    weights: int
    memory_bytes: int
    kept_from: int
    fallback: str = ""
    resumed_epoch: int = 0
    streams: str = ""
    processes: int = 1

    def told(self) -> Told | None:
        """What is read from where, and how many processes share the run, where that is unusual."""
        shared = f"{self.processes} processes share the facts." if self.processes > 1 else ""
        remark = " ".join(filter(None, (self.streams, shared)))
        return Told(remark=remark) if remark else None


@dataclass(frozen=True, slots=True)
class StatesProgress(Event):
    """Hidden states of `done` of `facts` facts are kept.

    Args:
        done: facts that are done; where layers are brought in one by one, the share of the way.
        facts: how many there are.
        layer: the layer that all facts pass now; None where they pass several at once.
        to: the layer whose input is kept.
        rate: bytes of layers that are read a second.
        seconds_left: until all are there; None while that is not known.
        kept: whether they are not facts but prompts that must stay, which the base is asked.
    """

    done: int
    facts: int
    layer: int | None = None
    to: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    kept: bool = False

    def told(self) -> Told:
        """How many facts are prepared, or through which layer they are going."""
        line = f"Keeping hidden states, {self.done} of {self.facts} facts"
        if self.kept:
            line = f"Asking what must stay, {self.done} of {self.facts} prompts"
        if self.layer is not None:
            way = layer_line(self.layer, self.to, self.rate, self.seconds_left)
            line = f"Keeping hidden states, {way}"
        return Told(line, phase=self.done / max(1, self.facts))


@dataclass(frozen=True, slots=True)
class StageProgress(Event):
    """How far a stage of a run is.

    Args:
        stage: what is being done, for people.
        done: what is done of it, in units of its own.
        total: how much there is.
    """

    stage: str
    done: int
    total: int

    def told(self) -> Told:
        """What is being done, and how far it is."""
        line = f"{self.stage}, {self.done:,} of {self.total:,}"
        return Told(line, phase=self.done / max(1, self.total))


@dataclass(frozen=True, slots=True)
class BatchDone(Event):
    """One batch went through; `skipped` when its loss was too small for a step.

    Args:
        epoch: which epoch, from 1.
        step: batches so far in the whole run, from 1.
        loss: mean over the batch of each fact's mean cross-entropy on its target tokens.
        skipped: whether the weights were left as they were.
    """

    epoch: int
    step: int
    loss: float
    skipped: bool


@dataclass(frozen=True, slots=True)
class EpochDone(Event):
    """All facts (breadth-first) or one batch to convergence (depth-first) went through.

    Args:
        epoch: from 1.
        epochs: how many there will be at most.
        loss: mean over the epoch's facts, each as it was before its update; where facts have
            several forms, over all that had a turn, each as it was at its last.
        learned: share of those facts whose every target token and EOS was the argmax then
            (the strict protocol, read off the training logits); of their forms likewise.
        seconds: since the run started, capture included.
        by_form: the same share for each form, where there are several.
        neighbours: share of some locality prompts, never trained on, whose first token is still
            the base's.
    """

    epoch: int
    epochs: int
    loss: float
    learned: float
    seconds: float
    by_form: dict[str, float] | None = None
    neighbours: float | None = None

    def told(self) -> Told:
        """How far the run is, and how well it does."""
        line = f"epoch {self.epoch} of {self.epochs} · loss {self.loss:.3f}"
        return Told(f"{line} · {self.learned:.0%} learned", self.epoch / self.epochs)


@dataclass(frozen=True, slots=True)
class MicroBatchHalved(Event):
    """Memory ran out; from now on at most `size` facts are on the device at once."""

    size: int

    def told(self) -> Told:
        """That it goes on with less memory."""
        return Told(
            remark=f"Memory ran out; going on with {self.size} facts at once. The updates stay "
            "the same."
        )


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is over and its patch is ready.

    Args:
        reason: ``converged`` (the stop rule), ``epochs`` (all were used), or ``enough`` (a person
            stopped it and kept what there was).
        epochs: epochs done, those of a resumed run included.
        steps: updates made (skipped batches not counted).
        seconds: wall clock of this run, capture included.
        losses: mean loss of every epoch.
    """

    reason: Literal["converged", "epochs", "enough"]
    epochs: int
    steps: int
    seconds: float
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Judged(Event):
    """Which facts a finished run learned, and its patch is written; told by shared runs alone.

    Args:
        learned: which facts are right by the strict protocol.
        learned_in: for each fact the last epoch in which it was wrong; None where nobody counts.
    """

    learned: tuple[bool, ...]
    learned_in: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The run was stopped by its user after `epoch` whole epochs; it can be resumed there."""

    epoch: int
    epochs: int
