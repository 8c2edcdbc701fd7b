"""Every colour of the workbench: once for light and once for dark.

The page, its plots and the reports take theirs from here. The page's text is readable on each of
its grounds (WCAG AA); the tests say which stands on which. Knows nothing about what is coloured.
"""

from dataclasses import dataclass, fields
from typing import Literal

__all__ = [
    "CLEAR",
    "SERIES_NAMES",
    "THEMES",
    "Theme",
    "ThemeName",
    "css_variables",
    "faded",
    "report_variables",
    "variables",
]

ThemeName = Literal["light", "dark"]
CLEAR = "rgba(0,0,0,0)"
"""No colour at all."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a theme.

    Args:
        page, card, field: grounds: of the page, of what lies on it, of what is typed in.
        line: thin lines.
        text, quiet, faint: words, and those that matter less.
        accent, accent_strong, on_accent, accent_soft: what is chosen, running or changed; the
            same under the mouse; words on it; a ground for it.
        amber, amber_soft: warnings and locality, and a ground for them.
        red, red_soft: what is wrong, and a ground for it.
        mark: the ground of words that differ.
        grey_bar: bars of what was before.
        code: the ground of commands.
        shade: what lies behind a panel that is open.
        arrow: of a list to choose from.
        low, high: ends of a heat map's scale.
        on_low, on_middle, on_high: words on what is coloured by that scale.
        series: colours of curves, in order; told apart without red against green.
    """

    page: str
    card: str
    field: str
    line: str
    text: str
    quiet: str
    faint: str
    accent: str
    accent_strong: str
    on_accent: str
    accent_soft: str
    amber: str
    amber_soft: str
    red: str
    red_soft: str
    mark: str
    grey_bar: str
    code: str
    shade: str
    arrow: str
    low: str
    high: str
    on_low: str
    on_middle: str
    on_high: str
    series: tuple[str, ...]


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        page="#fbfbfa",
        card="#ffffff",
        field="#fbfbfa",
        line="#e4e4e0",
        text="#1d1f21",
        quiet="#666b70",
        faint="#6f7479",
        accent="#0f766e",
        accent_strong="#0b5c56",
        on_accent="#ffffff",
        accent_soft="#e3efee",
        amber="#b45309",
        amber_soft="#fdf3e3",
        red="#b42318",
        red_soft="#fdeceb",
        mark="#fdf0b8",
        grey_bar="#c3c5c6",
        code="#f1f4f3",
        shade="rgb(0 0 0 / .4)",
        arrow="#888888",
        low="#eef4f3",
        high="#0b5c56",
        on_low="#000000",
        on_middle="#000000",
        on_high="#ffffff",
        series=("#0f766e", "#b45309", "#4f5bb8", "#a83279", "#5b6770", "#7a6a00"),
    ),
    "dark": Theme(
        page="#131516",
        card="#1a1d1e",
        field="#131516",
        line="#2c3032",
        text="#e6e7e5",
        quiet="#969c9f",
        faint="#82888c",
        accent="#2dd4bf",
        accent_strong="#5ee0cf",
        on_accent="#10201e",
        accent_soft="#1d3431",
        amber="#f0ad4e",
        amber_soft="#33291a",
        red="#f28b82",
        red_soft="#3a2220",
        mark="#57470f",
        grey_bar="#54595b",
        code="#222627",
        shade="rgb(0 0 0 / .4)",
        arrow="#888888",
        low="#1f2a2a",
        high="#5ee0cf",
        on_low="#ffffff",
        on_middle="#000000",
        on_high="#000000",
        series=("#2dd4bf", "#f0ad4e", "#a3adf5", "#f29ac8", "#b4bec4", "#d8c84a"),
    ),
}
SERIES_NAMES = ("teal", "amber", "blue", "pink", "grey", "olive")
"""What people call the colours of `Theme.series`, in light and in dark."""
# Paper is white whatever the theme, and the edges of cards are darker on it.
PAPER = {"paper": "#ffffff", "paper-line": "#cccccc"}
OF_PLOTS = frozenset({"series"})  # a variable for each of its colours
ARROW = (
    "url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='8' height='5'"
    "%3E%3Cpath d='M0 0h8L4 5z' fill='{colour}'/%3E%3C/svg%3E\")"
)


def variables(theme: Theme) -> dict[str, str]:
    """A theme as CSS variables, by name without the dashes in front."""
    named = {
        field.name.replace("_", "-"): getattr(theme, field.name)
        for field in fields(theme)
        if field.name not in OF_PLOTS
    }
    curves = {f"series-{number}": colour for number, colour in enumerate(theme.series, start=1)}
    # A picture in a stylesheet knows no variables: the whole of it is one.
    return {**named, **curves, "arrow": ARROW.format(colour=theme.arrow.replace("#", "%23"))}


def css_variables() -> str:
    """The page's variables: light, and dark below an element of class ``dark``."""
    # What lies behind a dialog takes nothing over from the page.
    light, dark = (_block(variables(THEMES[name])) for name in ("light", "dark"))
    return f":root, ::backdrop {light}\n.dark {dark}\n"


def report_variables() -> str:
    """A report's variables: light or dark as the reader's system is."""
    # Nothing is chosen from a list there, and the arrow would be the only address in it.
    light, dark = (variables(THEMES[name]) for name in ("light", "dark"))
    del light["arrow"], dark["arrow"]
    return (
        f":root {_block({**light, **PAPER})}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {_block(dark)} }}\n"
    )


def faded(colour: str, opacity: float) -> str:
    """A colour of a theme that lets through what lies below it.

    Args:
        colour: such as ``#0f766e``.
        opacity: from 0 to 1.
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _block(named: dict[str, str]) -> str:
    return "{" + "".join(f" --{name}: {value};" for name, value in named.items()) + " }"
