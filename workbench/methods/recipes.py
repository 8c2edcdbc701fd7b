"""Recipes: what a run of LocFT-BF does where its settings leave it open.

``published`` is the paper to the letter: it learns the prompts that it is given. ``holds`` is the
workbench's own: facts are learned in every form in which people ask, and what is near them stays.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.model.presets import Preset

__all__ = [
    "MOST_BROUGHT",
    "MOST_EPOCHS",
    "RECIPES",
    "SEVERAL",
    "STEPS",
    "Kept",
    "RateSchedule",
    "Recipe",
    "RecipeChoice",
    "RecipeName",
    "most_wordings",
    "usual_recipe",
]

RecipeName = Literal["holds", "published"]
RecipeChoice = Literal["automatic", "holds", "published"]
RateSchedule = Literal["constant", "falling"]
MOST_EPOCHS = 200
"""So many epochs has a run on a single fact, unless its recipe says otherwise."""

MOST_BROUGHT = 1200
"""So many of the facts' keep prompts are held; a run draws hardly more."""

MOST_WORDED = 12_000
"""So many wordings are held in memory, of all facts together; each fact has 8 at least."""

SEVERAL = 0.5
"""Times the preset's learning rate, when several matrices are tuned in place of its one."""

STEPS = 400
"""So many steps has a run on few facts, unless its recipe says otherwise."""

Kept = Literal["neighbours", "text", "chats", "yours"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The levers of a run.

    Args:
        sentence: what it is for, in one line.
        forms: in which a fact is trained, with their shares; chat only where a model has a
            template.
        keep: the weight of what must stay.
        keep_share: how many prompts that must stay a step is reminded of, for each of its facts.
        spare: how much steps spare usual inputs.
        kept: what must stay.
        rate_schedule: how the learning rate goes.
        focus: how much a fact's turn goes to the forms in which it is learned least.
        around: whether the same matrix of the layers after it is tuned too.
        steps: how many a run on few facts has (see `automatic_epochs`).
        most_epochs: so many has a run on a single fact.
    """

    sentence: str
    forms: tuple[str, ...] = ("raw",)
    keep: float = 0.0
    keep_share: float = 1.0
    spare: float = 0.0
    kept: tuple[Kept, ...] = get_args(Kept)
    rate_schedule: RateSchedule = "constant"
    focus: float = 0.0
    around: bool = False
    steps: int = STEPS
    most_epochs: int = MOST_EPOCHS

    def forms_of(self, chat: bool) -> tuple[str, ...]:
        """The forms for a model.

        Args:
            chat: whether it has a chat template.
        """
        return tuple(form for form in self.forms if chat or not form.startswith("chat"))

    def kept_of(self, chat: bool) -> tuple[Kept, ...]:
        """What must stay of a model.

        Args:
            chat: whether it has a chat template.
        """
        return tuple(kind for kind in self.kept if chat or kind != "chats")


RECIPES: dict[RecipeName, Recipe] = {
    "holds": Recipe(
        "Facts are learned where people ask, in every form, and what is near them stays.",
        forms=("raw:2", "question", "chat", "rephrase:0.5"),
        keep=2.0,
        keep_share=0.5,
        spare=1.0,
        rate_schedule="falling",
        focus=1.0,
        around=True,
        steps=540,
        most_epochs=100,
    ),
    "published": Recipe("The paper to the letter: the facts' own prompts, and nothing else."),
}


def usual_recipe(preset: Preset) -> RecipeName:
    """The recipe for a model: ours where people chat with it and nobody measured another.

    Args:
        preset: the start for the model. Those that were measured, by the paper or here, are where
            and how fast `published` does best.
    """
    return "holds" if preset.chat and preset.is_guess else "published"


def most_wordings(facts: int) -> int:
    """How many of its own wordings a fact is trained in.

    Args:
        facts: how many facts a run has.
    """
    return max(8, MOST_WORDED // max(1, facts))
