"""The page is for everybody: colours that can be read in light and in dark (WCAG AA), and nothing
that axe-core finds serious."""

import re
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.page.kit.static import style
from workbench.page.layers.heat import tone
from workbench.store import Store
from workbench.store.library import add_samples
from workbench.work.colours import THEMES, ThemeName, variables

expect.set_options(timeout=PATIENCE)

STYLES = style("workbench.css")
PLAIN = ("page", "card", "field")
SOFT = ("code", "accent-soft", "amber-soft", "red-soft")
# Each colour of text with the grounds that it stands on.
TEXTS = {
    "text": (*PLAIN, *SOFT, "mark"),
    "quiet": (*PLAIN, *SOFT),
    "faint": PLAIN,
    "accent": (*PLAIN, "accent-soft", "code"),
    "accent-strong": (*PLAIN, "accent-soft"),
    "amber": (*PLAIN, "amber-soft"),
    "red": (*PLAIN, "red-soft", "accent-soft"),
    "on-accent": ("accent", "accent-strong"),
    "on-low": ("low",),
    "on-middle": (),
    "on-high": ("high",),
}
# What is no text and yet says something: the ring of the focus, dots, borders of what is chosen.
SIGNS = {"accent": PLAIN, "quiet": (*PLAIN, "accent-soft"), "red": (*PLAIN, "red-soft")}
SIGNS |= {name: PLAIN for name in variables(THEMES["light"]) if name.startswith("series-")}
TABS = ("Facts", "Layers", "Edit", "Probe", "Evaluate", "Runs")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[ThemeName, str, str]]:
    return [
        (scheme, front, ground)
        for scheme, front in product(THEMES, table)
        for ground in table[front]
    ]


@pytest.mark.parametrize(("scheme", "front", "ground"), pairs(TEXTS))
def test_text_is_readable_on_its_ground(scheme: ThemeName, front: str, ground: str) -> None:
    known = variables(THEMES[scheme])
    assert contrast(known[front], known[ground]) >= 4.5


@pytest.mark.parametrize("scheme", THEMES)
def test_a_number_is_readable_on_every_colour_of_the_heat_map(scheme: ThemeName) -> None:
    known = variables(THEMES[scheme])
    ends = [[int(known[end][i : i + 2], 16) for i in (1, 3, 5)] for end in ("low", "high")]
    for height in range(101):
        mixed = [round(a + (b - a) * height / 100) for a, b in zip(*ends, strict=True)]
        ground = "#" + "".join(f"{part:02x}" for part in mixed)
        assert contrast(known[f"on-{tone(height)}"], ground) >= 4.5, height


@pytest.mark.parametrize(("scheme", "front", "ground"), pairs(SIGNS))
def test_signs_stand_out_from_their_ground(scheme: ThemeName, front: str, ground: str) -> None:
    known = variables(THEMES[scheme])
    assert contrast(known[front], known[ground]) >= 3


def test_every_colour_of_text_in_the_stylesheet_is_one_of_those_checked() -> None:
    used = set(re.findall(r"[;{\s]color: var\(--([\w-]+)\)", STYLES))
    assert used <= set(TEXTS)
    assert not re.findall(r"[;{\s]color: (?:#|rgb)", STYLES)


# Every piece of visible text with its colour and the ground below it, where they are too close.
WALK = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const parse = colour => {
    if (!known.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return [...known.get(colour)];
  };
  const over = (front, ground) =>
    [0, 1, 2].map(i => front[i] * front[3] + ground[i] * (1 - front[3])).concat(1);
  const shine = colour => {
    const [r, g, b] = colour.slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const layers = [];
    for (let node = element; node; node = node.parentElement)
      layers.push(parse(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const opacity = element => {
    let product = 1;
    for (let node = element; node; node = node.parentElement)
      product *= Number(getComputedStyle(node).opacity);
    return product;
  };
  const failing = [];
  const check = (element, colour, what) => {
    const below = ground(element);
    const front = parse(colour);
    front[3] *= opacity(element);
    const [high, low] = [shine(over(front, below)), shine(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) failing.push(`${ratio.toFixed(2)} ${colour} ${what.trim().slice(0, 60)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const text = texts.currentNode, element = text.parentElement;
    if (!text.data.trim() || element.closest('script, style, noscript, svg')) continue;
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (element.closest(':disabled, [aria-disabled=true]')) continue;
    seen += 1;
    check(element, getComputedStyle(element).color, text.data);
  }
  for (const field of document.querySelectorAll('input[placeholder], textarea[placeholder]'))
    if (field.checkVisibility() && !field.value)
      check(field, getComputedStyle(field, '::placeholder').color, field.placeholder);
  return {seen, failing};
}
"""


# No colour is on its way from one theme to the other.
SETTLED = "() => !document.getAnimations().some(one => one instanceof CSSTransition)"


def unreadable(page: Page) -> list[str]:
    found = page.evaluate(WALK)
    assert found["seen"] > 20
    return list(found["failing"])


def test_every_tab_is_readable_and_accessible(open_page: Open, store: Store) -> None:
    add_samples(store)
    page = open_page(color_scheme="light")
    expect(page.locator("#facts-table tr")).to_have_count(21)
    page.get_by_label("Use this fact").first.uncheck()
    go_to(page, "Edit")
    page.locator("#start").click()
    job_done(store, "edit")
    expect(page.locator("#run-card")).to_contain_text("done")
    go_to(page, "Probe")
    page.locator("#prompt").locator("input, textarea").fill("The capital of Australia is")
    page.locator("#ask").click()
    job_done(store, "ask")
    expect(page.locator("#answers .half").nth(1)).to_contain_text("run 1")
    talk_with_a_run(page, store)
    look_inside_a_fact(page)
    page.get_by_role("button", name="Rename, copy, export, delete").click()
    expect(page.locator("#session-name")).to_be_visible()
    light = all_unreadable(page)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    page.wait_for_function(SETTLED)
    assert {"light": light, "dark": all_unreadable(page)} == {"light": {}, "dark": {}}


def inaccessible(page: Page) -> list[str]:
    """What axe-core finds serious; contrast is measured above, with every state of a text."""
    asked = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": False}}}
    found = Axe().run(page, options=asked).response["violations"]
    return [
        f"{rule['id']}: {node['html']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def talk_with_a_run(page: Page, store: Store) -> None:
    """Says something to the base and the run, and sends what they answer to the facts."""
    learned = next(o for o in store.runs.outcomes(1, 0, 20) if o.learned)
    page.get_by_role("button", name="Conversation").click()
    page.get_by_role("button", name="Raw text").click()
    page.get_by_label("Say something").fill(learned.prompt)
    page.keyboard.press("Enter")
    answers = page.locator("#transcript .half")
    expect(answers.nth(1).locator("mark")).to_have_text(learned.target_new)
    answers.nth(0).get_by_role("button", name="Keep this").click()
    expect(page.locator("#talk-note")).to_contain_text(f"is kept as “{learned.before}”")
    should = page.get_by_label("It should say")
    should.fill("Perth")
    should.press("Enter")
    expect(page.locator("#talk-note")).to_contain_text("should be answered “Perth”")
    assert unreadable(page) + inaccessible(page) == []
    facts = {row.fact.prompt: row.fact for row in store.facts.enabled()}
    assert facts[learned.prompt].target_new == "Perth"
    assert any(q.answer == learned.before for fact in facts.values() for q in fact.keep_prompts)


def look_inside_a_fact(page: Page) -> None:
    """At one click from a fact: its way through the layers, and its tokens in every form."""
    go_to(page, "Facts")
    page.locator("#facts-table .unfold").nth(1).click()
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("#inside .lens svg").first).to_be_visible()
    expect(page.locator("#tokens .token-text")).to_have_count(3)
    expect(page.locator("#tokens .tok.trained").first).to_be_visible()
    page.get_by_role("button", name="Show the first batch").click()
    expect(page.locator("#first-batch .tok.trained").first).to_be_visible()


def all_unreadable(page: Page) -> dict[str, list[str]]:
    """What cannot be read or reached, by where it stands: on every tab, and in the help."""
    wrong = {}
    for tab in TABS:
        go_to(page, tab)
        expect(page.locator(".card:visible").first).to_be_visible()
        wrong[tab] = unreadable(page) + inaccessible(page)
    page.locator("[data-help]").click()
    wrong["help"] = unreadable(page) + inaccessible(page)
    page.keyboard.press("Escape")
    return {tab: found for tab, found in wrong.items() if found}
