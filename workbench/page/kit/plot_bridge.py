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


def add_plot_bridge(
    page: Page,
    choose: Callable[[Store, str, bool], None] | None = None,
    name: str = "plot-bridge",
) -> gr.Textbox:
    """Adds the bridge, which cannot be seen, to the tab whose plots it serves.

    Args:
        page: the page.
        choose: called with the location of a clicked point, and whether Shift was held; None
            where points stand for no location.
        name: of the bridge in the page, where there are several.

    Returns:
        A hidden component that holds ``light`` or ``dark``, for plots to be drawn in.
    """
    theme = gr.Textbox("light", visible="hidden", container=False)
    bridge = still_html("", "plots.js", name=name)

    def hear(store: Store, theme: str, event: gr.EventData) -> str:
        told = detail(event)
        if told["do"] == "theme":
            return str(told["theme"])
        if choose is not None:
            choose(store, str(told["at"]), bool(told["many"]))
        return theme

    page.action(bridge.act, hear, [theme], theme)
    return theme
