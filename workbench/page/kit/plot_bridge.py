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

# A clicked point raises `act` with what its customdata begins with; so does a change of the theme.
_SCRIPT = """
const bound = new WeakSet();
const bind = plot => {
  if (bound.has(plot) || !plot.on) return;
  bound.add(plot);
  plot.on('plotly_click', event => {
    const given = event.points[0] && event.points[0].customdata;
    const at = Array.isArray(given) ? given[0] : given;
    if (at) trigger('act', {do: 'choose', at, many: event.event.shiftKey});
  });
};
const look = () => document.querySelectorAll('#layers-plots .js-plotly-plot').forEach(bind);
new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
// Plotly's own button knows how to save a picture; the page's link presses it.
document.addEventListener('click', event => {
  const link = event.target.closest && event.target.closest('[data-picture-of]');
  if (!link) return;
  event.preventDefault();
  const camera = '.modebar-btn[data-title*="png" i]';
  const found = document.querySelector('#' + link.dataset.pictureOf + ' ' + camera);
  if (found) found.click();
});
let told = null;
const tell = () => {
  const theme = document.body.classList.contains('dark') ? 'dark' : 'light';
  if (theme !== told) trigger('act', {do: 'theme', theme: told = theme});
};
new MutationObserver(tell).observe(document.body, {attributes: true, attributeFilter: ['class']});
setTimeout(tell, 0);
"""


def add_plot_bridge(page: Page, choose: Callable[[Store, str, bool], None]) -> gr.Textbox:
    """Adds the bridge, which cannot be seen.

    Args:
        page: the page.
        choose: called with the location of a clicked point, and whether Shift was held.

    Returns:
        A hidden component that holds ``light`` or ``dark``, for plots to be drawn in.
    """
    theme = gr.Textbox("light", visible="hidden", container=False)
    bridge = still_html("", _SCRIPT, name="plot-bridge")

    def hear(store: Store, theme: str, event: gr.EventData) -> str:
        told = detail(event)
        if told["do"] == "theme":
            return str(told["theme"])
        choose(store, str(told["at"]), bool(told["many"]))
        return theme

    page.action(bridge.act, hear, [theme], theme)
    return theme
