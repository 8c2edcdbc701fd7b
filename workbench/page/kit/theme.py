"""How the page looks: Gradio's theme set to the stylesheet's colours, and the light switch.

The colours themselves are variables in assets/workbench.css, for light and dark.
"""

import gradio as gr

from workbench.paths import assets_dir

__all__ = ["HEAD", "THEME_SWITCH", "THEME_SWITCH_SCRIPT", "stylesheet", "theme"]

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

# Gradio follows the system's light or dark. A choice made here is kept in the browser and put
# back whenever Gradio sets its own.
HEAD = """
<meta name="color-scheme" content="light dark">
<script>
(() => {
  const chosen = () => localStorage.getItem('workbench-theme') || 'system';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const dark = chosen() === 'dark' || (chosen() === 'system' && system.matches);
    if (document.body && document.body.classList.contains('dark') !== dark)
      document.body.classList.toggle('dark', dark);
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  };
  window.workbenchTheme = {
    chosen,
    choose: name => { localStorage.setItem('workbench-theme', name); apply(); },
  };
  system.addEventListener('change', apply);
  const watch = () => {
    apply();
    new MutationObserver(apply).observe(
      document.body, {attributes: true, attributeFilter: ['class']});
  };
  if (document.body) watch();
  else document.addEventListener('DOMContentLoaded', watch);
})();
</script>
"""

THEME_SWITCH = (
    '<div class="label">Theme</div><div class="segments" role="group" aria-label="Theme">'
    '<button type="button" data-theme="system">System</button>'
    '<button type="button" data-theme="light">Light</button>'
    '<button type="button" data-theme="dark">Dark</button></div>'
)
THEME_SWITCH_SCRIPT = """
const mark = () => {
  for (const choice of element.querySelectorAll('[data-theme]'))
    choice.setAttribute('aria-pressed', choice.dataset.theme === workbenchTheme.chosen());
};
element.addEventListener('click', event => {
  const choice = event.target.closest('[data-theme]');
  if (choice) { workbenchTheme.choose(choice.dataset.theme); mark(); }
});
mark();
"""


def stylesheet() -> str:
    """The page's one stylesheet."""
    return (assets_dir() / "workbench.css").read_text(encoding="utf-8")


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with every colour, corner and size taken from the stylesheet."""
    base = gr.themes.Base(font=FONT, font_mono=MONO, text_size="sm", radius_size="md")
    known = set(base.__dict__)
    dark = {f"{name}_dark": value for name, value in COLOURS.items() if f"{name}_dark" in known}
    return base.set(**COLOURS, **dark, **SIZES)
