"""`workbench mcp`: one agent on standard input and output, until it ends.

Knows nothing of the protocol, which the package mcp speaks; that is imported when it is needed.
"""

from pathlib import Path

from workbench.errors import SettingsError
from workbench.remote.desk import Desk
from workbench.remote.owner import Owner
from workbench.remote.tools import Tools

__all__ = ["MISSING", "converse"]

MISSING = (
    "Agents are served with the package mcp, from 2.3 on, which is not installed. Install it with: "
    "pip install 'locft-workbench[mcp]'"
)


def converse(sessions: Path) -> None:
    """Serves one client until it ends. What is printed meanwhile goes to standard error.

    Args:
        sessions: the folder of sessions.

    Raises:
        SessionError: the folder cannot be used.
        SettingsError: the package mcp is not installed.
    """
    try:
        from workbench.remote.mcp_server import serve_stdio
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise SettingsError(MISSING) from error
    with Owner(sessions) as owner:
        serve_stdio(Tools(Desk(owner.library), owner.see_to_it))
