"""What a study compares: its arms, each with the settings of its runs.

Knows nothing about models.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.methods.base import LOCFT_BF, find_method
from workbench.methods.locft_settings import Pipeline, automatic_batch_size
from workbench.methods.method_settings import MODES, MethodSettings, Mode
from workbench.model.presets import Preset
from workbench.search.study_settings import LOCFT, ResolvedStudySettings

__all__ = ["MODE_WORDS", "Arm", "arms"]

MODE_WORDS: dict[Mode, str] = {
    "each": "one by one",
    "batches": "in batches of {}",
    "once": "all at once",
}
"""How facts are taken up, for people; of a batch with how many there are in it."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One thing that a study compares; it is run at every learning rate.

    Args:
        label: how people call it.
        at: where it tunes; empty for the recommended location.
        pipeline: the order of the facts.
        batch_size: facts per update.
        facts: how many facts it compiles.
        passes: most passes over each fact.
        method: the key of the method that runs.
        mode: how it takes up the facts, where methods are compared; else empty.
        at_a_time: so many of them at a time; None for all at once.
    """

    label: str
    at: str
    pipeline: Pipeline
    batch_size: int | None
    facts: int
    passes: int
    method: str = LOCFT_BF.key
    mode: Mode | Literal[""] = ""
    at_a_time: int | None = None

    @property
    def tried(self) -> str:
        """The setting of which several values are tried; empty where the method has none."""
        kind = find_method(self.method).settings
        if self.mode:
            return kind.tried
        return "learning_rate" if "learning_rate" in kind.help() else ""

    def values(self, settings: ResolvedStudySettings, preset: Preset) -> tuple[float, ...]:
        """The values of that setting; a single 0 where there is none.

        Args:
            settings: of the study.
            preset: the start for its model.
        """
        if not self.tried:
            return (0.0,)
        if not self.mode:
            return settings.learning_rates
        kind = find_method(self.method).settings
        trained = {k: v for k, v in settings.trained.items() if k in kind.help()}
        own = kind.from_dict(trained).resolved(preset, self.facts)
        usual = getattr(own, self.tried)
        if isinstance(usual, int):
            found = [max(1.0, round(usual * strength)) for strength in settings.strengths]
        else:
            found = [float(f"{usual * strength:.3g}") for strength in settings.strengths]
        return tuple(dict.fromkeys(map(float, found)))

    def settings(
        self, at: str, value: float, seed: int, trained: Mapping[str, object]
    ) -> MethodSettings:
        """The settings of one run of this arm.

        Args:
            at: where it tunes.
            value: of the setting that is tried.
            seed: of the study.
            trained: what all arms share; see `StudySettings.trained`.
        """
        budget: dict[str, object] = {
            "at": (at,),
            "batch_size": self.batch_size,
            "epochs": self.passes,
            "pipeline": self.pipeline,
            "seed": seed,
            **trained,
        }
        if self.tried:
            whole = isinstance(getattr(find_method(self.method).settings(), self.tried), int)
            budget[self.tried] = int(value) if whole else value
        if self.mode:
            budget |= {"steps": self.passes, "value_steps": self.passes}
        kind = find_method(self.method).settings
        known = kind.help()
        return kind.from_dict({name: value for name, value in budget.items() if name in known})


def arms(settings: ResolvedStudySettings) -> tuple[Arm, ...]:
    """What resolved settings compare; nothing for ``locations``, which is a sweep."""
    passes = settings.passes
    if settings.kind == "scale":
        return tuple(
            Arm(
                f"{LOCFT}, {size:,} facts",
                settings.locft_at,
                "breadth-first",
                settings.batch_size or automatic_batch_size(size),
                size,
                passes,
            )
            for size in settings.sizes
            if size <= settings.facts
        )
    if settings.kind == "locations":
        return ()
    if settings.kind == "methods":
        return tuple(_rivals(settings))
    batch, facts = settings.batch_size or automatic_batch_size(settings.facts), settings.facts
    orders: tuple[Pipeline, Pipeline] = ("depth-first", "breadth-first")
    found = [
        Arm(f"{order} {name}", settings.at, order, size, facts, passes)
        for order in orders
        for name, size in (("sample-wise", 1), ("mini-batch", batch))
    ]
    found.append(Arm(LOCFT, settings.locft_at, "breadth-first", batch, facts, passes))
    for key in settings.methods:
        name = find_method(key).name
        found.append(Arm(name, settings.locft_at, "breadth-first", batch, facts, passes, key))
    return tuple(found)


def _rivals(settings: ResolvedStudySettings) -> Iterator[Arm]:
    """Every method in each of the ways that differ for it and for so many facts."""
    sizes: dict[Mode, int | None] = {"each": 1, "batches": settings.at_a_time, "once": None}
    for mode in MODES:
        size = sizes[mode]
        if mode not in (settings.modes or MODES):
            continue
        if mode == "batches" and not 1 < settings.at_a_time < settings.facts:
            continue  # the same as another
        words = MODE_WORDS[mode].format(f"{settings.at_a_time:,}")
        for key in settings.methods:
            method = find_method(key)
            if mode in method.settings.modes:
                yield Arm(
                    f"{method.name}, {words}",
                    settings.locft_at,
                    "breadth-first",
                    settings.batch_size,
                    settings.facts,
                    settings.passes,
                    key,
                    mode,
                    size,
                )
