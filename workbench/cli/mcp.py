"""`workbench mcp`: the actions of sessions as tools of an agent, over standard input and output."""

from workbench.actions import McpSettings
from workbench.cli.options import command

__all__ = ["mcp"]


@command("mcp")
def mcp(settings: McpSettings) -> None:
    """Serves an agent."""
    from workbench.paths import sessions_dir
    from workbench.remote.mcp import converse

    converse(settings.sessions or sessions_dir())
