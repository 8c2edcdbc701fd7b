"""What plots and the page tell each other in the browser: clicked points, pictures, the theme.

Gradio's plots raise no event when a point is clicked; a script binds to Plotly's own. Knows
nothing about what is plotted.
"""

from collections.abc import Callable

import gradio as gr

from workbench.page.kit.html import detail, still_html
from workbench.page.kit.page import Page
from workbench.store import Store

__all__ = ["add_plot_bridge"]


def add_plot_bridge(page: Page, choose: Callable[[Store, str, bool], None]) -> gr.Textbox:
    """Adds the bridge, which cannot be seen.

    Args:
        page: the page.
        choose: called with the location of a clicked point, and whether Shift was held.

    Returns:
        A hidden component that holds ``light`` or ``dark``, for plots to be drawn in.
    """
    theme = gr.Textbox("light", visible="hidden", container=False)
    bridge = still_html("", "plots.js", name="plot-bridge")

    def hear(store: Store, theme: str, event: gr.EventData) -> str:
        told = detail(event)
        if told["do"] == "theme":
            return str(told["theme"])
        choose(store, str(told["at"]), bool(told["many"]))
        return theme

    page.action(bridge.act, hear, [theme], theme)
    return theme
