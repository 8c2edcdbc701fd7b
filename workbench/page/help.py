"""The help panel: the keys, what each tab is for, the words, and where the data lies.

A native dialog, opened by every element with ``data-help`` and by the key ``?``. Single keys do
nothing while something is typed or with a modifier, and can be switched off (WCAG 2.1.4); the
switch is kept in the browser.
"""

from pathlib import Path

import gradio as gr

from workbench._version import __version__
from workbench.methods.base import METHODS
from workbench.page.kit.html import still_html
from workbench.work.glossary import GLOSSARY
from workbench.work.templates import render

__all__ = ["KEYS", "TABS", "add_help", "every_word"]

TABS = {
    "Facts": "Type, paste or upload what the model should say. A run compiles the ticked facts.",
    "Layers": "Choose the place in the model that is tuned.",
    "Edit": "Set how, press Start, and watch the facts being learned.",
    "Probe": "Ask anything, and read the answers before and after side by side.",
    "Evaluate": "Did it work, where, what did it break; and the paper's experiments.",
    "Runs": "Every run with its measures: choose the one shown, keep it, or delete it.",
}
KEYS = {
    "1 – 6": "the tabs, from left to right",
    "s": "start a run",
    "/": "to the search or the prompt of the tab shown",
    "n": "a new question, on Probe",
    "?": "this panel",
    "Esc": "closes it",
}


def add_help(sessions: Path) -> gr.HTML:
    """Builds the panel, which is closed at first.

    Args:
        sessions: the folder of the sessions.
    """
    panel = render(
        "page/help.html",
        tabs=TABS,
        keys=KEYS,
        words=every_word(),
        sessions=str(sessions),
        version=__version__,
    )
    still_html(render("page/meaning.html"), "terms.js", name="meaning-place")
    return still_html(panel, "help.js", name="help-place")


def every_word() -> dict[str, str]:
    """Every term of the page with its sentence: those of the glossary, and the methods."""
    return GLOSSARY | {method.name: method.sentence for method in METHODS.values()}
