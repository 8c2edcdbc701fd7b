"""The frame of the page: its address, the keys, the help panel, and the way of the focus."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.facts import Fact
from workbench.store import Library, Store

expect.set_options(timeout=PATIENCE)

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")


def expect_tab(page: Page, tab: str) -> None:
    expect(page.locator("#tabs [role=tab][aria-selected=true]").first).to_have_text(tab)


def expect_address(page: Page, store: Store, tab: str) -> None:
    expect(page).to_have_url(re.compile(rf"\?session={store.id}&tab={tab}$"))


def follow(page: Page, address: str, query: str) -> None:
    page.goto(address + query, wait_until="domcontentloaded")


def test_a_link_opens_its_session_and_tab(
    open_page: Open, store: Store, library: Library, address: str
) -> None:
    other = library.create("Rivers")
    other.facts.add([AUSTRALIA], "file")
    page = open_page()
    follow(page, address, f"?session={other.id}&tab=facts")
    expect(page.locator("#session-list")).to_have_value(other.id)
    expect(page.locator("#facts-table tr")).to_have_count(2)
    follow(page, address, f"?session={store.id}&tab=runs")
    expect(page.locator("#session-list")).to_have_value(store.id)
    expect_tab(page, "Runs")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#session-list")).to_have_value(store.id)
    expect_tab(page, "Runs")
    expect_address(page, store, "runs")


@pytest.mark.parametrize("name", ["20200101-00000000", "../sessions", "%2Fetc", ".trash"])
def test_a_link_to_no_session_opens_the_latest_and_says_so(
    open_page: Open, store: Store, address: str, name: str
) -> None:
    page = open_page()
    follow(page, address, f"?session={name}&tab=probe")
    expect(page.locator("#session-list")).to_have_value(store.id)
    expect(page.locator("#message")).to_contain_text("session of this link is not here any more")
    expect_tab(page, "Probe")
    expect_address(page, store, "probe")


def test_back_and_forward_lead_through_tabs_and_sessions(
    open_page: Open, store: Store, library: Library
) -> None:
    other = library.create("Rivers")
    page = open_page()
    expect_address(page, store, "facts")
    go_to(page, "Edit")
    expect_address(page, store, "edit")
    page.locator("#session-list").select_option(other.id)
    expect_address(page, other, "edit")
    go_to(page, "Runs")
    expect_address(page, other, "runs")
    page.go_back()
    expect_tab(page, "Edit")
    page.go_back()
    expect(page.locator("#session-list")).to_have_value(store.id)
    expect_address(page, store, "edit")
    page.go_back()
    expect_tab(page, "Facts")
    page.go_forward()
    page.go_forward()
    expect(page.locator("#session-list")).to_have_value(other.id)
    expect_tab(page, "Edit")
    expect_address(page, other, "edit")


TABS = ("Layers", "Edit", "Probe", "Evaluate", "Runs", "Facts")


def test_single_keys_choose_tabs_fields_and_start(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "file")
    page = open_page()
    for key, tab in zip("234561", TABS, strict=True):
        page.keyboard.press(key)
        expect_tab(page, tab)
    page.keyboard.press("/")
    expect(page.locator("#search").locator("input, textarea")).to_be_focused()
    page.keyboard.type("s4?")
    expect(page.locator("#search").locator("input, textarea")).to_have_value("s4?")
    expect_tab(page, "Facts")
    expect(page.locator("#help")).to_be_hidden()
    page.locator("#search").locator("input, textarea").fill("")
    page.locator("#tabs [role=tab]:visible").first.focus()
    page.keyboard.press("Control+s")
    assert store.jobs.latest("edit") is None
    page.keyboard.press("s")
    expect_tab(page, "Edit")
    job_done(store, "edit")
    expect(page.locator("#run-card")).to_contain_text("done")
    page.keyboard.press("4")
    expect_tab(page, "Probe")
    prompt = page.locator("#prompt").locator("input, textarea")
    prompt.fill("something old")
    prompt.blur()
    page.keyboard.press("n")
    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("")


def test_the_help_panel_lists_the_keys_and_can_switch_them_off(
    open_page: Open, store: Store, library: Library
) -> None:
    page = open_page()
    page.keyboard.press("?")
    panel = page.locator("#help")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text(str(library.root))
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("2")
    expect_tab(page, "Facts")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Help and keys").click()
    panel.get_by_label("Use single keys").uncheck()
    panel.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Help and keys")).to_be_focused()
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#session-list")).to_have_value(store.id)
    page.keyboard.press("2")
    page.keyboard.press("?")
    expect_tab(page, "Facts")
    expect(panel).to_be_hidden()


# Where the focus is, and whether one can see it there.
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const host = at.closest('label') || at;
  const box = at.getBoundingClientRect();
  return {
    name: at.id || at.getAttribute('aria-label') || at.innerText.trim() || at.className,
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
      || style.boxShadow !== 'none' || getComputedStyle(host).boxShadow !== 'none',
    x: box.x, y: box.y, shown: at.checkVisibility(),
  };
}"""


def test_the_keyboard_goes_through_the_sidebar_in_its_order_and_is_seen(
    open_page: Open, store: Store
) -> None:
    page = open_page()
    expect(page.locator("#model-card")).to_contain_text("layers")
    page.locator("body").press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    seen = []
    for _ in range(11):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    names = [entry["name"] for entry in seen]
    order = ["Help and keys", "session-list", "New", "Rename, copy", "Use another model"]
    order += ["shown-run", "System", "Light", "Dark", "Facts"]
    found = [next(i for i, name in enumerate(names) if name.startswith(want)) for want in order]
    assert found == sorted(found)
    assert all(entry["shown"] for entry in seen)
    assert [entry["name"] for entry in seen if not entry["ring"]] == []
    side = [entry for entry in seen if entry["x"] < 248]
    assert [entry["y"] for entry in side] == sorted(entry["y"] for entry in side)


def test_the_work_can_be_reached_past_the_sidebar(open_page: Open, store: Store) -> None:
    page = open_page()
    page.locator("body").press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#tabs [role=tab][aria-selected=true]").first).to_be_focused()


def test_the_keyboard_keeps_its_place_when_its_button_is_drawn_anew(
    open_page: Open, store: Store
) -> None:
    page = open_page()
    page.locator("#session-list").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#session-card").get_by_role("button", name="New")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#session-list")).not_to_have_value(store.id)
    expect(page.locator("#session-card").get_by_role("button", name="New")).to_be_focused()


def test_the_narrow_bar_unfolds_by_keyboard(open_page: Open, store: Store) -> None:
    page = open_page(viewport={"width": 420, "height": 800})
    fold = page.get_by_role("button", name="Menu")
    expect(page.locator("#session-list")).to_be_hidden()
    expect(page.locator("#now")).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#session-list")).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.locator("#session-list").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#session-list")).to_be_hidden()
    expect(fold).to_be_focused()
    page.get_by_role("button", name="Help and keys").click()
    box = page.locator("#help").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 420
