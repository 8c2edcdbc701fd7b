"""The hidden states that a session keeps, as a folder of files: how large it is, and away with it.

They are kept by the worker, which knows what is in them; here they are only bytes. They are no part
of an export: whoever has the model computes them again.
"""

import shutil
from pathlib import Path

__all__ = ["STATES_LIMIT", "clear_states", "states_bytes", "states_folder"]

STATES_LIMIT = 10_000_000_000
"""Bytes of kept states in one session."""


def states_folder(session: Path) -> Path:
    """Where a session keeps them.

    Args:
        session: its folder.
    """
    return session / "states"


def states_bytes(session: Path) -> int:
    """Bytes that a session's kept states take."""
    found = 0
    for file in states_folder(session).rglob("*"):
        try:
            found += file.stat().st_size if file.is_file() else 0
        except OSError:  # it has gone meanwhile
            continue
    return found


def clear_states(session: Path) -> None:
    """Forgets a session's kept states; the next run computes its own."""
    shutil.rmtree(states_folder(session), ignore_errors=True)
