"""What the settings of every method have. Knows nothing about any of them."""

from typing import ClassVar, Literal, Self, get_args

from workbench.model.presets import Preset
from workbench.work.settings import SettingsRecord

__all__ = ["MODES", "MethodSettings", "Mode"]

Mode = Literal["each", "batches", "once"]
"""How facts are taken up: each into the weights that the one before left, some at a time so, or
all of them in one run."""

MODES: tuple[Mode, ...] = get_args(Mode)


class MethodSettings(SettingsRecord):
    """The base of a method's settings."""

    __slots__ = ()

    modes: ClassVar[tuple[Mode, ...]] = MODES
    """The ways that differ for this method."""

    tried: ClassVar[str] = ""
    """The setting of which a comparison of methods tries several values; empty for none."""

    recompiles: ClassVar[bool] = False
    """Whether an edit that gains facts is made anew from all of them, unless somebody says no."""

    rehearses: ClassVar[bool] = False
    """Whether some of the earlier facts are trained again beside new ones."""

    def resolved(self, preset: Preset, facts: int) -> "MethodSettings":
        """These settings with what is automatic filled in; the same where nothing is.

        Args:
            preset: the start for a model.
            facts: how many facts the run compiles.
        """
        return self

    def in_turns(self, facts: int) -> Self | None:
        """Settings by which one run takes up so many facts at a time; None where none does.

        Args:
            facts: at a time.
        """
        return None
