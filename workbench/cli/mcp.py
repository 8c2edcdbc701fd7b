"""`workbench mcp`: the actions of sessions as tools of an agent, over standard input and output."""

import io
import sys

from workbench.actions import McpSettings
from workbench.cli.options import command

__all__ = ["mcp"]


@command("mcp")
def mcp(settings: McpSettings) -> None:
    """Serves an agent."""
    from workbench.paths import sessions_dir
    from workbench.remote.mcp import converse

    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    # What anything prints must not come between the messages.
    output, sys.stdout = sys.stdout, sys.stderr
    try:
        converse(settings.sessions or sessions_dir(), sys.stdin, output)
    finally:
        sys.stdout = output
