"""How the page looks: its stylesheet, and Gradio's theme set to the stylesheet's colours.

The colours themselves are variables, for light and dark; see `workbench.work.colours`.
"""

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.static import script, style
from workbench.work.colours import css_variables
from workbench.work.templates import render, trusted

__all__ = ["head", "head_script", "stylesheet", "theme"]

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# For light and dark alike: the variables change, the names stay.
COLOURS = {
    "body_background_fill": "var(--page)",
    "body_text_color": "var(--text)",
    "body_text_color_subdued": "var(--quiet)",
    "background_fill_primary": "var(--card)",
    "background_fill_secondary": "var(--page)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent_soft": "var(--accent-soft)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_label_background_fill": "transparent",
    "block_title_text_color": "var(--text)",
    "block_info_text_color": "var(--quiet)",
    "input_background_fill": "var(--field)",
    "input_background_fill_focus": "var(--field)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_placeholder_color": "var(--faint)",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 1px var(--accent)",
    "checkbox_background_color": "var(--field)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--quiet)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "transparent",
    "checkbox_label_border_width": "0px",
    "checkbox_label_text_color": "var(--text)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-strong)",
    "button_primary_text_color": "var(--on-accent)",
    "button_primary_border_color": "var(--accent)",
    "button_secondary_background_fill": "var(--card)",
    "button_secondary_background_fill_hover": "var(--field)",
    "button_secondary_text_color": "var(--text)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_border_color_hover": "var(--quiet)",
    "loader_color": "var(--accent)",
    "link_text_color": "var(--accent)",
    "shadow_drop": "none",
    "shadow_drop_lg": "none",
}
SIZES = {
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "8px",
    "block_title_text_size": "13px",
    "block_title_text_weight": "500",
    "block_info_text_size": "12px",
    "button_border_width": "1px",
    "button_large_radius": "7px",
    "button_medium_radius": "7px",
    "button_small_radius": "7px",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "500",
    "button_transition": "none",
    "input_border_width": "1px",
    "input_radius": "7px",
    "input_padding": "6px 10px",
    "input_text_size": "14px",
    "color_accent": "var(--accent)",
    "layout_gap": "16px",
    "form_gap_width": "12px",
}


def head() -> Markup:
    """What stands in the page's head: the theme's script runs before anything is drawn."""
    return render("page/head.html", script=trusted(script("theme.js")))


def head_script() -> str:
    """The script in the head as a browser reads it, for what allows it by its hash."""
    whole, text = str(head()), script("theme.js").strip()
    begins = whole.index(text)
    return whole[whole.rindex(">", 0, begins) + 1 : whole.index("<", begins + len(text))]


def stylesheet() -> str:
    """The page's one stylesheet, with the colours that it names."""
    return css_variables() + style("workbench.css")


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with every colour, corner and size taken from the stylesheet."""
    base = gr.themes.Base(font=FONT, font_mono=MONO, text_size="sm", radius_size="md")
    known = set(base.__dict__)
    dark = {f"{name}_dark": value for name, value in COLOURS.items() if f"{name}_dark" in known}
    return base.set(**COLOURS, **dark, **SIZES)
