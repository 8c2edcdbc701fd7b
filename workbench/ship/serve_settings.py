"""Where and how a base and its edits are served: plain settings of an endpoint."""

from dataclasses import dataclass
from pathlib import Path

from workbench.errors import SettingsError
from workbench.work.settings import SettingsRecord, is_whole, setting

__all__ = ["ServeModelSettings"]


@dataclass(frozen=True, slots=True)
class ServeModelSettings(SettingsRecord):
    """Where an endpoint listens, and whose runs it serves.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    session: str = setting(
        "",
        "A session, by its name or its folder's: its model and all its finished runs are served.",
        metavar="NAME",
        empty="none",
    )
    sessions: Path | None = setting(None, "Where sessions are kept.", metavar="DIR")
    host: str = setting(
        "127.0.0.1",
        "The address to listen on; 127.0.0.1 is this machine only, any other needs a token.",
    )
    port: int | None = setting(None, "The port; empty: 8000, or the next free one.")
    token: str = setting(
        "",
        "What clients must send as their key; empty: nothing on this machine alone, a new one "
        "where others can reach it.",
        empty="none, or a new one",
    )

    def __post_init__(self) -> None:
        if self.port is not None and not (is_whole(self.port, 0) and self.port < 65_536):
            raise SettingsError(f"port is {self.port!r}; write a number below 65536.")
