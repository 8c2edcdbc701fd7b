"""The settings of a study: the paper's controlled experiments, reproducible from one YAML file.

``pipelines`` compares four ways to go through the facts at one place, and LocFT-BF at the
recommended one; ``scale`` compiles 10, 100, 1,000, … facts; ``locations`` tries every matrix of
every layer with full runs; ``methods`` lets every method take up the same facts, one by one, in
batches, and all at once. Every arm of a study has the same budget of passes over each fact and
takes the best of the same few learning rates. Knows nothing about models.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from workbench.errors import SettingsError
from workbench.methods.base import LOCFT_BF, METHODS, find_method
from workbench.methods.locft_settings import EditSettings, automatic_batch_size
from workbench.methods.method_settings import MODES, Mode
from workbench.methods.recipes import RecipeName
from workbench.methods.turns_settings import SEQUENCE
from workbench.model.location import Location
from workbench.model.places import Places
from workbench.work.settings import SettingsRecord, is_number, is_whole, setting

__all__ = [
    "LOCFT",
    "TRAINED",
    "ResolvedStudySettings",
    "StudyKind",
    "StudySettings",
    "scale_sizes",
]

StudyKind = Literal["pipelines", "scale", "locations", "methods"]

PAPER_PASSES = 25
WRITTEN = 500
RATE_STEPS = (0.03, 0.1, 0.3, 1.0)
STRENGTHS = (0.3, 1.0, 3.0)
LOCFT = LOCFT_BF.name
TRAINED: dict[str, Any] = {"recipe": "published", "forms": (), "keep": None}
"""The settings of a run that all arms share, as the paper has them."""


@dataclass(frozen=True, slots=True)
class StudySettings(SettingsRecord):
    """What a study compares. Empty means automatic; see each field's sentence.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    kind: StudyKind = setting(
        "pipelines", "pipelines, scale, locations, or methods.", positional=True
    )
    facts: int | None = setting(
        None, "How many facts are drawn by the seed; empty: all.", unit="facts", empty="all"
    )
    passes: int = setting(PAPER_PASSES, "Most passes over each fact, the same for every arm.")
    learning_rates: tuple[float, ...] = setting(
        (),
        "Rates that every arm tries, to keep its best; empty: 0.03, 0.1, 0.3, 1 of the preset's.",
        label="Learning rates",
        option="--lr",
    )
    batch_size: int | None = setting(
        None,
        "Facts per update of a mini-batch; empty: as in a run on as many facts.",
        label="Batch size",
        unit="facts",
        advanced=True,
    )
    at: str = setting(
        "",
        "Where the four pipelines tune; empty: the preset's module in the middle layer.",
        label="Where the pipelines tune",
        advanced=True,
    )
    locft_at: str = setting(
        "",
        "Where LocFT-BF tunes; empty: what a sweep recommends.",
        label="Where LocFT-BF tunes",
        empty="recommended",
        advanced=True,
    )
    sizes: tuple[int, ...] = setting(
        (),
        "Numbers of facts of a scale study; empty: 10, 100, ….",
        option="--size",
        unit="facts",
        advanced=True,
    )
    written: int | None = setting(
        WRITTEN,
        "For how many facts answers are written, and locality is compared; empty: 500.",
        label="Written answers",
        unit="facts",
        advanced=True,
    )
    capability: tuple[str, ...] = setting(
        (),
        "Tasks of general capability for the best of each arm: builtin, paper, or names.",
        label="Capability of the arms",
        metavar="TASK",
        empty="none",
    )
    limit: int | None = setting(
        None,
        "Most items of a capability task; empty: all.",
        label="Items a task",
        empty="all",
        advanced=True,
    )
    seed: int = setting(
        0,
        "Draws the facts and decides their order.",
        label="Seed of the study",
        advanced=True,
    )

    methods: tuple[str, ...] = setting(
        (),
        "Further methods that run beside, each at its own settings where the budget says nothing; "
        "of a study of methods those that are compared, empty: all.",
        option="--method",
        empty="none",
    )
    recipe: RecipeName = setting(
        "published", EditSettings.help()["recipe"], label="Recipe of the arms"
    )
    forms: tuple[str, ...] = setting(
        (), EditSettings.help()["forms"], label="Trained forms of the arms"
    )
    keep: float | None = setting(None, EditSettings.help()["keep"], label="Keep of the arms")
    modes: tuple[Mode, ...] = setting(
        (),
        "How each method takes up the facts: each (one by one, in sequence), batches (in "
        "sequence), once (all at once); empty: all three.",
        label="Ways of taking up facts",
        option="--mode",
        empty="all",
        advanced=True,
    )
    at_a_time: int = setting(
        SEQUENCE, "Facts of a batch in sequence.", label="Facts at a time", advanced=True
    )
    strengths: tuple[float, ...] = setting(
        (),
        "Multiples of each method's main setting that are tried, to keep its best: of the learning "
        "rate, or what stands for it; empty: 0.3, 1, 3.",
        option="--strength",
        empty="0.3, 1, 3",
        advanced=True,
    )
    rehearsed: int | None = setting(
        None,
        "In sequence, how many earlier facts LocFT-BF, CrispEdit and LoRA train again beside new "
        "ones; empty: as many as there are new ones.",
        label="Earlier facts beside new ones",
        unit="facts",
        empty="as many",
        advanced=True,
    )

    def __post_init__(self) -> None:
        if self.kind not in get_args(StudyKind):
            raise SettingsError(
                f"kind is {self.kind!r}; choose one of {', '.join(get_args(StudyKind))}."
            )
        if self.written is None:
            object.__setattr__(self, "written", WRITTEN)
        self._require_whole("facts", "batch_size", "limit", "written", least=1, optional=True)
        self._require_whole("passes", "at_a_time", least=1)
        self._require_whole("seed", least=0)
        self._require_whole("rehearsed", least=0, optional=True)
        for name in ("learning_rates", "strengths"):
            for value in getattr(self, name):
                if not is_number(value) or value <= 0:
                    raise SettingsError(f"{name} holds {value!r}; each must be above 0.")
        for mode in self.modes:
            if mode not in MODES:
                raise SettingsError(f"modes holds {mode!r}; choose among {', '.join(MODES)}.")
        for size in self.sizes:
            if not is_whole(size, 1):
                raise SettingsError(f"sizes holds {size!r}; each must be a whole number above 0.")
        for where in (self.at, self.locft_at):
            if where:
                Location.parse(where)
        for key in self.methods:
            find_method(key)
        object.__setattr__(self, "forms", EditSettings(**self.trained).forms)

    @property
    def trained(self) -> dict[str, Any]:
        """How the facts are trained, as settings of a run."""
        return {name: getattr(self, name) for name in TRAINED}

    @property
    def trained_words(self) -> str:
        """In what the training differs from the paper's, for people; empty where in nothing."""
        return "; ".join(
            f"{name} {', '.join(value) if isinstance(value, tuple) else value}"
            for name, value in self.trained.items()
            if value != TRAINED[name]
        )

    def resolved(
        self, facts: int, preset_rate: float, module: str, places: Places
    ) -> "ResolvedStudySettings":
        """These settings with what depends on the model and the facts filled in.

        Args:
            facts: how many facts there are.
            preset_rate: the learning rate of the model's preset.
            module: the preset's module; empty for a whole layer.
            places: of the model.
        """
        middle = places.nearest(places.layers // 2, module)
        count = min(self.facts or facts, facts)
        automatic = {
            "facts": count,
            "learning_rates": self.learning_rates
            or tuple(float(f"{preset_rate * step:.3g}") for step in RATE_STEPS),
            "batch_size": self.batch_size
            or (automatic_batch_size(count) if self.kind != "scale" else None),
            "at": self.at or str(Location(middle, module)),
            "sizes": (self.sizes or scale_sizes(count)) if self.kind == "scale" else (),
        }
        if self.kind == "methods":
            automatic["methods"] = self.methods or tuple(METHODS)
            automatic["strengths"] = self.strengths or STRENGTHS
            automatic["batch_size"] = self.batch_size
        return ResolvedStudySettings.from_dict(self.as_dict() | automatic)


@dataclass(frozen=True, slots=True)
class ResolvedStudySettings(StudySettings):
    """The settings of a study that is made: the facts are counted."""

    facts: int = setting(0, StudySettings.help()["facts"])


def scale_sizes(facts: int) -> tuple[int, ...]:
    """10, 100, 1,000, … up to the number of facts, which is the last."""
    sizes = [10**power for power in range(1, 12) if 10**power < facts]
    return (*sizes, facts)
