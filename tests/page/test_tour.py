"""The tour: it begins on a first start alone, goes on when a step is done, leads to an edit."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.facts import Fact
from workbench.page.tour import STEPS, tour_signs
from workbench.store import Library, Store

expect.set_options(timeout=PATIENCE)


def signs(library: Library, store: Store) -> dict[str, str]:
    return dict(pair.split("=") for pair in tour_signs(library, store).split(" "))


def test_it_begins_by_itself_in_the_one_session_of_a_first_start(tmp_path: Path) -> None:
    library = Library(tmp_path)
    store = library.latest()
    assert signs(library, store)["first"] == "1"
    assert signs(Library(tmp_path, closed="another has it"), store)["first"] == "0"
    library.create("Rivers")
    assert signs(library, store)["first"] == "0"


def test_a_step_is_done_once_its_own_sign_differs(tmp_path: Path) -> None:
    library = Library(tmp_path)
    store = library.create("Rivers")
    steps = {step.sign for step in STEPS if step.sign}

    def changed(before: dict[str, str]) -> set[str]:
        now = signs(library, store)
        assert steps <= now.keys()
        return {name for name in steps if now[name] != before[name]}

    before = signs(library, store)
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "file")
    assert changed(before) == {"facts"}
    before = signs(library, store)
    store.settings.set("edit", store.settings.edit.as_dict() | {"at": ("6.mlp", "7.mlp")})
    assert changed(before) == {"place"}
    before = signs(library, store)
    store.ask("What is the capital of Australia?")
    assert changed(before) == {"asked"}


def uncovered(page: Page, control: str) -> bool:
    """Whether a click in the middle of a control reaches it."""
    return bool(
        page.evaluate(
            """control => { const at = document.querySelector(control);
            const box = at.getBoundingClientRect();
            const there = document.elementFromPoint(
              box.x + box.width / 2, box.y + box.height / 2);
            return at.contains(there); }""",
            control,
        )
    )


def test_it_leads_from_a_fact_to_an_edit_and_can_be_left_for_good(
    open_page: Open, store: Store
) -> None:
    australia = Fact("The capital of Australia is", "Melbourne")
    store.facts.add([australia, Fact("The capital of France is", "Lyon")], "file")
    page = open_page()
    expect(page.locator("#model-card")).to_contain_text("layers")
    page.set_viewport_size({"width": 420, "height": 800})
    tour = page.get_by_role("region", name="A tour in 5 steps")
    expect(tour).to_be_hidden()  # there are other sessions here
    page.get_by_role("button", name="Help and keys").click()
    page.get_by_role("button", name="Take the tour").click()
    expect(tour.get_by_text("Step 1 of 5, on Facts")).to_be_visible()
    expect(tour.get_by_role("button", name="Next")).to_be_focused()
    page.locator("#facts-table td input[type=checkbox]").last.uncheck()
    expect(tour.get_by_text("Step 2 of 5, on Layers")).to_be_visible()
    go_to(page, "Edit")
    tour.get_by_role("button", name="Show me").click()
    expect(page.locator("#layer-grid .cell[aria-pressed=true]")).to_be_focused()
    tour.get_by_role("button", name="Next").click()
    expect(page.locator("#start")).to_be_visible()
    page.wait_for_function("document.documentElement.scrollTop > 0 || innerHeight > 2000")
    assert uncovered(page, "#start")
    page.locator("#start").click()
    job_done(store, "edit")
    expect(tour.get_by_text("Step 4 of 5, on Probe")).to_be_visible()
    tour.get_by_role("button", name="Back").click()
    tour.get_by_role("button", name="Next").click()
    page.locator("#prompt textarea").fill("What is the capital of Australia?")
    page.locator("#prompt textarea").press("Enter")
    expect(tour.get_by_text("Your first edit is done")).to_be_visible()
    tour.get_by_role("button", name="Show me").click()
    expect(page.locator(STEPS[-1].points[0])).to_have_count(1)  # else more would be ringed
    page.wait_for_function(
        "row => document.querySelector(row).contains(document.activeElement)",
        arg=STEPS[-1].points[0],
    )
    tour.get_by_role("button", name="Finish").press("Escape")
    expect(tour).to_be_hidden()
    expect(page.get_by_role("button", name="Help and keys")).to_be_focused()
    assert page.evaluate("localStorage.getItem('workbench-tour')") == "over"
