"""Keys of services, which stand in the environment and nowhere else."""

import os

from workbench.errors import SettingsError

__all__ = ["key_of"]


def key_of(variable: str, setting: str) -> str:
    """The key that a variable of the environment holds; empty where none is named.

    Args:
        variable: its name.
        setting: which setting names it, for the message. The variable's name is not repeated: it
            may be a key that was put in the wrong place.

    Raises:
        SettingsError: it holds none.
    """
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SettingsError(
            f"The environment variable that {setting} names is not set. Set it to the key, or name "
            "another one."
        )
    return key
