"""Every colour stands in one file, and each part takes its own from there."""

import re
from dataclasses import fields
from pathlib import Path

import workbench
from workbench.measure.report.style import STYLE
from workbench.page.kit.theme import stylesheet
from workbench.work.colours import THEMES, Theme, css_variables, faded, report_variables, variables

ROOT = Path(workbench.__file__).parent
COLOUR = re.compile(
    r"(?:#|%23)(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})(?![\w-])|\b(?:rgb|hsl)a?\("
)


def test_a_colour_stands_nowhere_else() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {colour}"
        for path in ROOT.rglob("*")
        if path.suffix in (".py", ".css", ".js", ".html")
        for colour in COLOUR.findall(path.read_text(encoding="utf-8"))
        if path.name != "colours.py"
    }
    assert found == set()


def test_light_and_dark_name_the_same_variables() -> None:
    light, dark = (variables(THEMES[name]) for name in ("light", "dark"))
    assert list(light) == list(dark)
    assert light["accent-strong"] == THEMES["light"].accent_strong
    assert "series" not in light
    page = css_variables()
    assert page.count(f"--accent: {THEMES['light'].accent};") == 1
    assert page.index(".dark {") < page.index(f"--accent: {THEMES['dark'].accent};")


def test_every_variable_that_a_stylesheet_names_is_there() -> None:
    templates = [path.read_text(encoding="utf-8") for path in ROOT.rglob("templates/**/*.html")]
    inline = {name for text in templates for name in re.findall(r'style="--([\w-]+):', text)}
    for sheet in (stylesheet(), STYLE):
        given = set(re.findall(r"--([\w-]+):", sheet)) | inline
        assert set(re.findall(r"var\(--([\w-]+)\)", sheet)) <= given


def test_every_colour_is_used() -> None:
    used = stylesheet() + STYLE
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "plots").glob("*.py"))
    code += (ROOT / "page" / "kit" / "theme.py").read_text(encoding="utf-8")
    for field in fields(Theme):
        name = field.name.replace("_", "-")
        assert f"var(--{name})" in used + code or f"colours.{field.name}" in code, name


def test_a_report_follows_the_readers_system_and_is_white_on_paper() -> None:
    assert "@media (prefers-color-scheme: dark) { :root {" in report_variables()
    assert "@media print { body { background:var(--paper); }" in STYLE


def test_a_faded_colour_lets_through_what_lies_below() -> None:
    assert faded("#0f766e", 0.13) == "rgba(15,118,110,0.13)"
