"""What the settings of every method have. Knows nothing about any of them."""

from workbench.model.presets import Preset
from workbench.work.settings import SettingsRecord

__all__ = ["MethodSettings"]


class MethodSettings(SettingsRecord):
    """The base of a method's settings."""

    __slots__ = ()

    def resolved(self, preset: Preset, facts: int) -> "MethodSettings":
        """These settings with what is automatic filled in; the same where nothing is.

        Args:
            preset: the start for a model.
            facts: how many facts the run compiles.
        """
        return self
