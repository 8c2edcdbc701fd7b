"""How a file of facts is read and written again: plain settings."""

from dataclasses import dataclass
from typing import get_args

from workbench.errors import FactsError, SettingsError
from workbench.facts.encodings import find_encoding
from workbench.facts.source import MAX_BYTES
from workbench.facts.write import Schema
from workbench.work.settings import SettingsRecord, setting

__all__ = ["FactsSettings"]


@dataclass(frozen=True, slots=True)
class FactsSettings(SettingsRecord):
    """How facts are read, and written where that is asked for.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    max_mb: float = setting(
        MAX_BYTES / 1e6,
        "Most megabytes of a file, packed or unpacked.",
        label="Largest file",
        unit="megabytes",
    )
    encoding: str = setting(
        "",
        "Encoding of a file of text, such as cp1251 or Shift-JIS; empty: told from its bytes.",
        label="Encoding",
        metavar="NAME",
        empty="told from its bytes",
    )
    schema: Schema = setting(
        "own", "of --out: own, or counterfact (flat, for other editors).", label="Schema"
    )

    def __post_init__(self) -> None:
        self._require_number("max_mb")
        if not isinstance(self.encoding, str):
            raise SettingsError(f"encoding is {self.encoding!r}; it must be a name, or empty.")
        if self.encoding:
            try:
                find_encoding(self.encoding)
            except FactsError as error:
                raise SettingsError(str(error)) from None
        if self.schema not in get_args(Schema):
            choices = " or ".join(get_args(Schema))
            raise SettingsError(f"schema is {self.schema!r}; choose {choices}.")
