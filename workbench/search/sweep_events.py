"""What a sweep says while it works: typed events, the same for the page, the commands, the tests.

`LocationDone` is also what is kept of a sweep: everything that is shown or recommended follows
from these rows alone (see `score` and `recommend`), and a sweep that was broken off goes on from
them.
"""

from dataclasses import dataclass

from workbench.work.events import Event, Told

__all__ = [
    "LocationDone",
    "SweepFinished",
    "SweepProgress",
    "SweepStarted",
    "SweepStopped",
]


@dataclass(frozen=True, slots=True)
class SweepStarted(Event):
    """The plan of a sweep, before its first step.

    Args:
        locations: where short runs are made, in this order; each at every rate.
        learning_rates: the rates.
        kept: how many trials are known from before and not repeated.
        facts: how many facts the sample was drawn from.
        sample: how many facts are tried.
        batch_size: facts per update.
        epochs: most passes over the sample in a short run.
        rephrases: held-out rephrases of the sample's facts; 0 means that generalization cannot
            be measured.
        locality_prompts: held-out locality prompts of the sample's facts; 0 means that locality
            is measured on the neutral prompts.
        neutral_from_facts: neutral prompts that are prompts of facts outside the sample.
        neutral_built_in: neutral prompts from the built-in list.
        fallback: why the plain forward is used instead of kept states; empty when it is not.
        trials: how many rows the sweep has at its end, at most.
        widens: whether the next trials are short runs at other matrices of the best layers.
        full_epochs: most passes in a run of full length, which come last; 0 when none is made.
        budget: seconds that it may take; 0 for as long as it takes, otherwise `trials` is 0, since
            nobody knows it.
        rungs: with a budget, the facts and the most passes of a trial, the shortest first; the
            better half of one goes on to the next.
        chat: whether the facts are also asked through the chat template.
        passages: passages of plain text that are read; 0 in plans from before there were any.
    """

    locations: tuple[str, ...]
    learning_rates: tuple[float, ...]
    kept: int
    facts: int
    sample: int
    batch_size: int
    epochs: int
    rephrases: int
    locality_prompts: int
    neutral_from_facts: int
    neutral_built_in: int
    fallback: str = ""
    trials: int = 0
    widens: bool = False
    full_epochs: int = 0
    budget: float = 0.0
    rungs: tuple[tuple[int, int], ...] = ()
    chat: bool = False
    passages: int = 0

    def told(self) -> Told:
        """What the scores will rest on."""
        return Told("Drawing the sample", 0.0, remark=self.held_out)

    @property
    def marks(self) -> str:
        """What is what on a plot; empty where there are curves of short runs alone."""
        parts = ["Small circles: other matrices, in the best layers."] if self.widens else []
        if self.rungs:
            facts, passes = self.rungs[0]
            parts.append(
                f"Each place was tried on {facts} facts with at most {passes} passes; diamonds: "
                "the better half of those, which went on with more."
            )
        elif self.full_epochs:
            parts.append(
                f"Diamonds: the best once more, with at most {self.full_epochs} passes in place "
                f"of {self.epochs}."
            )
        return " ".join(parts)

    @property
    def note(self) -> str:
        """All that a reader of a plot should know."""
        return " ".join(filter(None, (self.held_out, self.marks)))

    @property
    def held_out(self) -> str:
        """One sentence about what the scores rest on, for a plot."""
        parts = [f"{self.rephrases} rephrases"] if self.rephrases else []
        neutral = (
            f"{self.neutral_from_facts + self.neutral_built_in} neutral prompts "
            f"({self.neutral_from_facts} of other facts, {self.neutral_built_in} built in)"
        )
        if self.locality_prompts:
            parts += [f"{self.locality_prompts} locality prompts", neutral]
        else:
            parts.append(f"{neutral}, which stand in for the locality prompts that the facts lack")
        facts = f"Tried on {self.sample} of {self.facts} facts"
        told = f"{facts}; scored on them and, never trained on, {', '.join(parts)}."
        if self.passages:
            forms = "as questions and in chat" if self.chat else "as questions"
            told += f" The facts are also asked {forms}, and {self.passages} passages are read."
        return told


@dataclass(frozen=True, slots=True)
class SweepProgress(Event):
    """One location is being tried.

    Args:
        number: which trial of the sweep, from 1, those known from before counted.
        trials: how many there are, at most.
        at: the location.
        epoch: passes done over the sample there.
        epochs: most passes.
        share: of the sweep's work that is done, from 0 to 1, as far as it can be foreseen: a pass
            through many layers counts more than one through few. With a budget, of its seconds.
        learning_rate: the rate, where several are tried.
        facts: how many facts are trained on, where trials differ in it.
    """

    number: int
    trials: int
    at: str
    epoch: int
    epochs: int
    share: float
    learning_rate: float = 0.0
    facts: int = 0

    def told(self) -> Told:
        """Which trial is made."""
        rate = f" at {self.learning_rate:g}" if self.learning_rate else ""
        if not self.trials:
            return Told(f"{self.at}{rate}, {self.facts} facts, trial {self.number}", self.share)
        return Told(f"{self.at}{rate}, {self.number} of {self.trials}", self.share)


@dataclass(frozen=True, slots=True)
class LocationDone(Event):
    """What a run at one location did, fact by fact.

    Args:
        at: the location.
        learning_rate: Adam's rate.
        weights: how many weights are tuned there.
        reliable: for each fact of the sample, whether its prompt gives the new answer (strict).
        general: for each fact, the share of its rephrases that do (strict); None without any.
        local: for each fact, the share of its locality prompts to which the base's own answer
            is still the model's (strict); None without any.
        neutral: for each neutral prompt, whether the base's own answer is still the model's.
        kl: for each neutral prompt, KL(base || edited) of the next token, in nats.
        weight_change: norm of the change relative to the norm of the weights.
        epochs: passes done.
        steps: updates made.
        loss: mean loss of the last pass.
        seconds: wall clock, training and scoring.
        limit: most passes that it was allowed, more in a run of full length than in a short one;
            0 in rows that were kept before there were two lengths.
        question: for each fact, whether it is right as a question (strict).
        chat: likewise through the chat template; None where it is too long for the model; empty
            without a template.
        first: for each fact, the share of its locality prompts whose answer begins with the same
            token as the base's; None without any.
        neutral_first: for each neutral prompt, whether its answer begins with the same token.
        text: for each passage of plain text, by how much its loss rose, in nats per token.
    """

    at: str
    learning_rate: float
    weights: int
    reliable: tuple[bool, ...]
    general: tuple[float | None, ...]
    local: tuple[float | None, ...]
    neutral: tuple[bool, ...]
    kl: tuple[float, ...]
    weight_change: float
    epochs: int
    steps: int
    loss: float
    seconds: float
    limit: int = 0
    question: tuple[bool | None, ...] = ()
    chat: tuple[bool | None, ...] = ()
    first: tuple[float | None, ...] = ()
    neutral_first: tuple[bool, ...] = ()
    text: tuple[float, ...] = ()

    @property
    def place(self) -> tuple[str, float]:
        """Where it was, and at which rate."""
        return self.at, self.learning_rate

    @property
    def key(self) -> tuple[str, float, int, int]:
        """What tells this row from the others of a sweep."""
        return *self.place, *self.size

    @property
    def size(self) -> tuple[int, int]:
        """On how many facts it was, and most passes; only rows of one size are compared."""
        return len(self.reliable), self.limit

    @property
    def is_settled(self) -> bool:
        """Whether the stop rule ended the run: with more passes allowed it would be the same."""
        return self.epochs < self.limit


@dataclass(frozen=True, slots=True)
class SweepFinished(Event):
    """All was tried, in so many trials; `seconds` since this part of the sweep began."""

    trials: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SweepStopped(Event):
    """Its user stopped it with `done` of at most `trials` rows; it can go on from them."""

    done: int
    trials: int
