"""`workbench serve`: the page."""

from workbench.actions import ServeSettings
from workbench.cli.options import command

__all__ = ["serve"]


@command("serve")
def serve(settings: ServeSettings) -> None:
    """Opens the page."""
    from workbench.page.server import serve as serve_page

    serve_page(
        host=settings.host,
        port=settings.port,
        sessions=settings.sessions,
        open_browser=settings.browser,
        token=settings.token,
        root_path=settings.root_path,
    )
