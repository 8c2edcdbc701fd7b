"""The settings of a run: one flat, frozen dataclass, checked when it is made.

The same fields, in the same words, are on the page, on the command line, in a patch's record
and in the docs. A field left at None is automatic: `EditSettings.resolved` fills it from the
model's preset and the number of facts, and gives `ResolvedEditSettings`, in which nothing is None
but the micro-batch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, get_args

from workbench.errors import SettingsError
from workbench.facts.forms import parse_forms
from workbench.facts.other_subjects import parse_subjects, write_subjects
from workbench.methods.method_settings import MethodSettings
from workbench.methods.recipes import (
    MOST_EPOCHS,
    RECIPES,
    SEVERAL,
    STEPS,
    Kept,
    RateSchedule,
    Recipe,
    RecipeChoice,
    usual_recipe,
)
from workbench.model.location import parse_locations
from workbench.model.presets import Preset
from workbench.work.settings import setting

__all__ = [
    "EditSettings",
    "Pipeline",
    "ResolvedEditSettings",
    "automatic_batch_size",
    "automatic_epochs",
]

Pipeline = Literal["breadth-first", "depth-first"]

PAPER_BATCH_SIZE = 100
PAPER_EPOCHS = 25
PAPER_LOSS_FLOOR = 0.01

# The settings of the first version.
_EVERY_FIRST = frozenset(
    {"at", "learning_rate", "batch_size", "epochs", "pipeline", "seed", "skip_loss", "stop_loss"}
)


@dataclass(frozen=True, slots=True)
class EditSettings(MethodSettings):
    """How a run turns facts into a patch. None means automatic; see each field's sentence.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    tried: ClassVar[str] = "learning_rate"
    recompiles: ClassVar[bool] = True
    rehearses: ClassVar[bool] = True

    at: tuple[str, ...] = setting(
        (),
        "Locations to tune, such as 6.mlp.down_proj, 6.mlp, 6, or 6.mlp.experts.7 for one expert; "
        "empty: the model's preset.",
        label="Locations",
    )
    learning_rate: float | None = setting(
        None,
        "Adam's learning rate; empty: the model's preset.",
        label="Learning rate",
        option="--lr",
    )
    batch_size: int | None = setting(
        None,
        "Facts per update, 1 for sample-wise; empty: 100, fewer when facts are few.",
        label="Batch size",
        unit="facts",
    )
    epochs: int | None = setting(
        None,
        "Most passes over each fact; empty: 25, more when facts are few.",
        label="Epochs",
        unit="passes",
    )
    pipeline: Pipeline = setting(
        "breadth-first",
        "breadth-first: epochs over all facts; depth-first: each batch to convergence in turn.",
    )
    seed: int = setting(0, "Decides the order of the facts; the same seed gives the same patch.")
    skip_loss: float = setting(
        PAPER_LOSS_FLOOR,
        "A batch whose mean loss is below this takes no step.",
        label="Skip loss",
        unit="nats",
    )
    stop_loss: float = setting(
        PAPER_LOSS_FLOOR,
        "The run ends when an epoch's mean loss is below this.",
        label="Stop loss",
        unit="nats",
    )
    recipe: RecipeChoice = setting(
        "automatic",
        "What is taken where a setting is empty; holds: learned where people ask, and what is near "
        "stays; published: the paper to the letter; automatic: holds for a model with a chat "
        "template whose preset nobody measured, else published.",
        label="Recipe",
    )
    forms: tuple[str, ...] = setting(
        (),
        "In which forms the facts are trained, one drawn for each fact and epoch: raw (the prompt "
        "goes on), question, chat (through the template, with and without a system prompt), "
        "rephrase (in other words), prefix (behind a sentence that the model wrote); with shares "
        "such as chat:2; empty: the recipe's.",
        label="Trained forms",
    )
    keep: float | None = setting(
        None,
        "How much what must stay counts in each step: the weight of the divergence from the base; "
        "0 for nothing; empty: the recipe's.",
        label="Keep",
    )
    keep_share: float | None = setting(
        None,
        "How many prompts that must stay a step is reminded of, for each of its facts, which "
        "changes its cost and not their weight; empty: the recipe's.",
        label="Kept prompts a step",
        unit="a fact",
        advanced=True,
    )
    spare: float | None = setting(
        None,
        "How much each step avoids the directions of usual inputs, those that the kept prompts "
        "give the tuned matrices: a direction as usual as the mean is stepped in by 1 / (1 + "
        "spare), and all are by three times the rate; 0 for not; empty: the recipe's.",
        label="Spare",
        advanced=True,
    )
    kept: tuple[Kept, ...] = setting(
        (),
        "What must stay: neighbours (the facts' templates with other subjects), text (plain text), "
        "chats (openings of chats), yours (the facts' keep prompts); empty: the recipe's.",
        label="Kept prompts",
    )
    other_subjects: tuple[str, ...] = setting(
        (),
        "Subjects of your own about whom the facts' sentences must stay as they are, beside those "
        "of the other facts and, where these are few, well-known ones of their kind; one a line, "
        "or between semicolons.",
        label="Subjects of your own",
        empty="those of the other facts",
        parse=parse_subjects,
        write=write_subjects,
        lines=3,
    )
    micro_batch_size: int | None = setting(
        None,
        "Most facts on the device at once, without changing the update; empty: the whole batch, "
        "halved when memory runs out.",
        label="Micro-batch size",
        unit="facts",
    )

    rate_schedule: RateSchedule | None = setting(
        None,
        "constant: the same rate in every step; falling: down to nothing over the second half; "
        "empty: the recipe's.",
        label="Rate schedule",
        advanced=True,
    )

    focus: float | None = setting(
        None,
        "How much a fact's turn goes to the forms in which it is learned least: one is drawn by "
        "its share times its last loss to this power; 0: by its share alone; empty: the recipe's.",
        label="Focus on what is not learned",
        advanced=True,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(str(where) for where in parse_locations(self.at)))
        self._require_number("learning_rate", optional=True)
        self._require_whole("batch_size", "epochs", "micro_batch_size", least=1, optional=True)
        self._require_number("skip_loss", "stop_loss", or_zero=True)
        self._require_number("keep", "spare", "focus", or_zero=True, optional=True)
        self._require_number("keep_share", optional=True)
        self._require_known("recipe", RecipeChoice)
        self._require_known("pipeline", Pipeline)
        if self.rate_schedule is not None:
            self._require_known("rate_schedule", RateSchedule)
        self._require_known("kept", Kept)
        self._require_whole("seed", least=0)
        object.__setattr__(self, "other_subjects", parse_subjects(self.other_subjects))
        object.__setattr__(self, "forms", tuple(str(form) for form in parse_forms(self.forms)))

    def _require_known(self, name: str, choices: Any) -> None:
        value = getattr(self, name)
        known = get_args(choices)
        for one in value if isinstance(value, tuple) else (value,):
            if one not in known:
                raise SettingsError(f"{name} is {one!r}; choose one of {', '.join(known)}.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`.

        What has every setting of earlier versions, and no recipe, was kept by one of them, and
        goes on as published.

        Raises:
            SettingsError: an unknown name, or a value that makes no sense.
        """
        if "recipe" not in data and data.keys() >= _EVERY_FIRST:
            data = {**data, "recipe": "published"}
        return super(EditSettings, cls).from_dict(data)

    def resolved(self, preset: Preset, facts: int) -> "ResolvedEditSettings":
        """These settings with every automatic field filled in, except `micro_batch_size`.

        Args:
            preset: the start for this model.
            facts: how many facts the run compiles.
        """
        name = usual_recipe(preset) if self.recipe == "automatic" else self.recipe
        recipe = RECIPES[name]
        batch_size = self.batch_size or automatic_batch_size(facts)
        automatic = {
            "recipe": name,
            "at": self.at or (recipe.around and preset.around) or preset.at,
            "learning_rate": self.learning_rate or self._rate(recipe, preset),
            "batch_size": batch_size,
            "epochs": self.epochs
            or min(recipe.most_epochs, automatic_epochs(facts, batch_size, recipe.steps)),
            "rate_schedule": self.rate_schedule or recipe.rate_schedule,
            "focus": recipe.focus if self.focus is None else self.focus,
            "forms": self.forms or recipe.forms_of(preset.chat),
            "keep": recipe.keep if self.keep is None else self.keep,
            "keep_share": self.keep_share or recipe.keep_share,
            "spare": recipe.spare if self.spare is None else self.spare,
            "kept": self.kept or recipe.kept_of(preset.chat),
        }
        return ResolvedEditSettings.from_dict(self.as_dict() | automatic)

    def _rate(self, recipe: Recipe, preset: Preset) -> float:
        """The preset's rate, less where the recipe tunes several matrices in place of its one."""
        several = recipe.around and bool(preset.around) and len(self.at) != 1
        return preset.learning_rate * (SEVERAL if several else 1.0)


@dataclass(frozen=True, slots=True)
class ResolvedEditSettings(EditSettings):
    """The settings of a run that is made: nothing is automatic any more."""

    learning_rate: float = setting(0.0, EditSettings.help()["learning_rate"], option="--lr")
    batch_size: int = setting(0, EditSettings.help()["batch_size"])
    epochs: int = setting(0, EditSettings.help()["epochs"])
    rate_schedule: RateSchedule = setting("constant", EditSettings.help()["rate_schedule"])
    keep: float = setting(0.0, EditSettings.help()["keep"])
    keep_share: float = setting(1.0, EditSettings.help()["keep_share"], advanced=True)
    spare: float = setting(0.0, EditSettings.help()["spare"], advanced=True)
    focus: float = setting(0.0, EditSettings.help()["focus"], advanced=True)

    @property
    def needs_kept(self) -> bool:
        """Whether prompts that must stay are asked of the base."""
        return self.keep > 0 or self.spare > 0

    @property
    def holds_neighbours(self) -> bool:
        """Whether other subjects are held in the facts' sentences."""
        return self.needs_kept and "neighbours" in self.kept

    def for_facts(self, keeping: bool) -> Self:
        """These settings without what no fact brings, so that they say what is done.

        Args:
            keeping: whether any fact has prompts of its own that must stay.
        """
        if keeping or "yours" not in self.kept:
            return self
        others = tuple(kind for kind in self.kept if kind != "yours")
        if not others:
            return replace(self, kept=(), keep=0.0, spare=0.0)
        return replace(self, kept=others)


def automatic_batch_size(facts: int) -> int:
    """The paper's 100; an eighth of the facts when they are few, so that an epoch has 8 steps."""
    return max(1, min(PAPER_BATCH_SIZE, facts // 8))


def automatic_epochs(facts: int, batch_size: int, steps: int = STEPS) -> int:
    """The paper's 25; more when an epoch has few steps, up to `MOST_EPOCHS`.

    The stop rule ends most runs long before.

    Args:
        facts: how many there are.
        batch_size: facts a step.
        steps: that a run has then.
    """
    steps_per_epoch = math.ceil(max(1, facts) / batch_size)
    return max(PAPER_EPOCHS, min(MOST_EPOCHS, math.ceil(steps / steps_per_epoch)))
