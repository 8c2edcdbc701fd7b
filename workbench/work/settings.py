"""What all settings share: a sentence per field, checks, and the way to JSON and back."""

import math
from dataclasses import field, fields
from typing import Any, Self

from workbench.errors import SettingsError

__all__ = ["SettingsRecord", "is_number", "is_whole", "setting"]


def setting(default: Any, sentence: str) -> Any:
    """A dataclass field whose one-sentence explanation travels with it."""
    return field(default=default, metadata={"help": sentence})


def is_whole(value: object, least: int) -> bool:
    """Whether a value is a whole number, `least` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class SettingsRecord:
    """The base of the settings' frozen dataclasses, whose fields are made by `setting`."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-ready data, in the order of the fields."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of `as_dict`.

        Raises:
            SettingsError: an unknown name, or a value that makes no sense.
        """
        known = set(cls.help())
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise SettingsError(
                f"Unknown setting {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})

    @classmethod
    def help(cls) -> dict[str, str]:
        """The one-sentence explanation of every setting, by name."""
        return {f.name: f.metadata["help"] for f in fields(cls)}  # type: ignore[arg-type]

    def _require_whole(self, *names: str, least: int, optional: bool = False) -> None:
        """Makes sure that settings are whole numbers, or None where they are optional.

        Raises:
            SettingsError: one is not.
        """
        for name in names:
            value = getattr(self, name)
            if not (is_whole(value, least) or (optional and value is None)):
                or_empty = ", or empty for automatic" if optional else ""
                raise SettingsError(
                    f"{name} is {value!r}; it must be a whole number, {least} or more{or_empty}."
                )
