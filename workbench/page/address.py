"""The page's address: which session and which tab, so that a link opens exactly that.

The browser's Back and Forward lead through tabs and sessions. What an address names is looked up
in the library; a session that is not there is never opened, and the latest one is shown instead.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from workbench.errors import SessionError
from workbench.page.kit.html import detail
from workbench.page.kit.page import QUIET, Page, notice
from workbench.page.kit.static import script

__all__ = ["add_address"]

_NOT_THERE = "The session of this link is not here any more. This is the one that was opened last."


def add_address(page: Page) -> Callable[[gr.Blocks], None]:
    """Lets the address follow the page; returns what opens the address's session at first.

    Args:
        page: the page.
    """
    link = gr.Textbox(visible="hidden", container=False)
    address = gr.HTML("", js_on_load=script("address.js"), visible="hidden")
    page.session.change(None, page.session, address, js=script("same.js"), **QUIET)
    library = page.library

    def follow(session: str, event: gr.EventData) -> str:
        wanted = str(detail(event)["value"])
        if wanted not in library:
            raise SessionError("The session of this address is not here any more.")
        return library.enter(wanted).id

    def open_first(linked: str) -> tuple[str, str, Any]:
        message = ""
        if linked:
            try:
                return library.enter(linked).id, "", gr.skip()
            except SessionError as error:
                message = notice(_NOT_THERE if linked not in library else str(error))
        try:
            return library.enter(library.latest().id).id, message, gr.skip()
        except SessionError:
            # The banner says why there is none; no change of the session lets it be drawn.
            return "", message, page.look("")

    def load(blocks: gr.Blocks) -> None:
        shown = [page.session, page.message, page.seen]
        blocks.load(open_first, link, shown, js=script("linked.js"), **QUIET)

    page.act_on_sessions(address.act, follow, outputs=page.session)
    return load
