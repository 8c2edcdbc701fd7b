"""The page, put together: a sidebar and a tab for each step of the work."""

import gradio as gr

from workbench.page.address import add_address
from workbench.page.edit.tab import add_edit_tab
from workbench.page.evaluate.tab import add_evaluate_tab
from workbench.page.facts.tab import add_facts_tab
from workbench.page.help import add_help
from workbench.page.kit.html import live_html
from workbench.page.kit.lean import LeanBlocks
from workbench.page.kit.page import Page
from workbench.page.kit.static import script
from workbench.page.layers.tab import add_layers_tab
from workbench.page.probe.tab import add_probe_tab
from workbench.page.runs.tab import add_runs_tab
from workbench.page.sidebar.session_card import act_on_sessions, add_banner
from workbench.page.sidebar.sidebar import add_sidebar
from workbench.page.tour import add_tour
from workbench.store import Library, Store

__all__ = ["build"]

TITLE = "LocFT Workbench"
# Seconds between two clean-ups of uploaded files, and the age at which they go.
UPLOADS_KEPT = (3600, 86400)


def build(library: Library) -> gr.Blocks:
    """The page over a folder of sessions; starts nothing.

    Args:
        library: the sessions; one with the sample facts is made when there is none, unless
            another workbench has the folder.
    """
    with LeanBlocks(
        title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=UPLOADS_KEPT
    ) as blocks:
        session = gr.Textbox(visible="hidden", container=False, elem_id="session")
        message = live_html(name="message")
        seen = gr.Textbox(visible="hidden", container=False)
        page = Page(library, session, message, seen)
        page.act_on_sessions(message.act, act_on_sessions(library), outputs=session)
        open_first = add_address(page)
        with gr.Row(elem_id="frame"):
            with gr.Column(elem_id="sidebar"):
                add_sidebar(page)
            with gr.Column(elem_id="work"):
                add_banner(page)
                add_tour(page)
                with gr.Tabs(elem_id="tabs") as tabs:
                    with gr.Tab("Facts", id="facts"):
                        add_facts_tab(page, tabs)
                    with gr.Tab("Layers", id="layers"):
                        add_layers_tab(page)
                    with gr.Tab("Edit", id="edit"):
                        add_edit_tab(page, tabs)
                    with gr.Tab("Probe", id="probe"):
                        add_probe_tab(page)
                    with gr.Tab("Evaluate", id="evaluate"):
                        add_evaluate_tab(page, tabs)
                    with gr.Tab("Runs", id="runs"):
                        add_runs_tab(page, tabs)
        add_help(library.root)
        counts = gr.HTML("", js_on_load=script("counts.js"), visible="hidden")
        page.show(_draw_counts, counts, of=("facts", "runs"))
        page.finish()
        open_first(blocks)
    return blocks


def _draw_counts(store: Store) -> str:
    return f"Facts={store.facts.count()} Runs={len(store.runs.all())}"
