"""The Edit and Probe tabs in a real browser, with the real worker and the built-in model."""

import re

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.facts import Fact, Question
from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import RECIPES
from workbench.store import Store
from workbench.store.probes import Answered

expect.set_options(timeout=PATIENCE)

AUSTRALIA = Fact(
    "The capital of Australia is",
    "Melbourne",
    rephrase_prompts=("The capital city of Australia is",),
    locality_prompts=(Question("The capital of France is", "Paris"),),
)
ENDLESS = EditSettings(epochs=100_000, stop_loss=0.0, skip_loss=0.0, at=("7.mlp.down_proj",))


def ask(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#ask").click()


def test_the_plan_is_measured_before_start_and_follows_the_settings(
    open_page: Open, store: Store
) -> None:
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    go_to(page, "Edit")
    plan = page.locator("#plan")
    expect(plan).to_contain_text("measured step")
    expect(plan.locator(".figures div", has_text="steps at most").locator("b")).to_have_text("200")
    page.get_by_label("Epochs").fill("7")
    page.get_by_label("Stop loss").fill("0.2")
    page.get_by_label("Stop loss").blur()
    expect(plan.locator(".figures div", has_text="steps at most").locator("b")).to_have_text("7")
    expect(page.locator("#same-command")).to_contain_text("--epochs 7 --stop-loss 0.2")
    page.get_by_label("Skip loss").fill("much")
    page.get_by_label("Skip loss").blur()
    expect(page.locator("#message")).to_contain_text("Skip loss is 'much'; write a number")


def test_two_tabs_press_start_and_both_see_both_runs(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    store.settings.set("edit", ENDLESS.as_dict())
    one, two = open_page(), open_page()
    for page in (one, two):
        go_to(page, "Edit")
        page.locator("#start").click()
    for page in (one, two):
        expect(page.locator("#run-card")).to_contain_text("1 more run waiting")
        expect(page.locator("#now .job")).to_have_count(2)
    one.locator("#run-card").get_by_role("button", name="Cancel").click()
    for page in (one, two):
        expect(page.locator("#run-card h2").first).to_have_text("Run 2")
    two.locator("#run-card").get_by_role("button", name="Stop and keep it").click()
    for page in (one, two):
        expect(page.locator("#run-card .pill").first).to_have_text("done")
        expect(page.locator("#now")).to_contain_text("Nothing is running")
        expect(page.locator("#run-card")).to_contain_text("What does it say now?")
    assert [run.state for run in store.runs.all()] == ["done", "stopped"]


def test_the_two_questions_are_answered_and_what_holds_is_followed(
    open_page: Open, store: Store
) -> None:
    store.facts.add([AUSTRALIA], "typed")
    store.settings.set("edit", EditSettings(recipe="holds").as_dict())
    page = open_page()
    go_to(page, "Edit")
    asked = page.locator("#questions")
    ours = RECIPES["holds"]
    # No fact has prompts of its own that must stay.
    ticked = len(ours.forms) + len(ours.kept) - 1
    expect(asked.get_by_role("checkbox", checked=True)).to_have_count(ticked)
    expect(asked.get_by_label("prompts of your own")).to_have_count(0)
    # A drawing may come between two clicks, so that a box is looked at once it has settled.
    asked.get_by_label("in a chat").click()
    expect(asked.get_by_label("in a chat")).not_to_be_checked()
    asked.get_by_label("plain text").click()
    expect(asked.get_by_label("plain text")).not_to_be_checked()
    line = page.locator("#same-command")
    expect(line).to_contain_text(re.compile(r"--forms raw\S* --forms question\S* --\w"))
    expect(line).to_contain_text("--kept neighbours --kept chats")
    page.get_by_role("button", name="How often each, and how much").click()
    expect(page.get_by_label("Trained forms")).not_to_have_value("")
    page.get_by_label("Trained forms").fill("raw:2, chat:3")
    page.get_by_label("Trained forms").blur()
    expect(asked.get_by_label("in a chat")).to_be_checked()
    expect(asked.get_by_label("as a question")).not_to_be_checked()
    page.get_by_label("Subjects of your own").fill("Mali\nWashington, D.C.")
    page.get_by_label("Subjects of your own").blur()
    expect(line).to_contain_text("--other-subjects 'Mali; Washington, D.C.'")
    asked.get_by_role("button", name="As published").click()
    expect(asked.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(asked.get_by_label("as a sentence to go on with")).to_be_disabled()
    expect(line).to_contain_text("workbench edit facts.csv")
    expect(line).not_to_contain_text("--forms")
    load = store.jobs.latest("load")
    assert load is not None
    run = store.runs.begin(load.id, "builtin", EditSettings(), store.facts.enabled())
    store.runs.add_events(run, [EpochDone(1, 9, 2.0, 0.5, 1.0, {"raw": 0.5, "chat": 0.25}, 0.75)])
    held = page.locator("#run-card .held")
    expect(held.locator(".figures b")).to_have_text(["0.50", "0.25", "0.75"])
    store.runs.add_events(run, [EpochDone(2, 9, 1.0, 1.0, 2.0, {"raw": 1.0, "chat": 0.5}, 0.7)])
    expect(held.locator(".figures b")).to_have_text(["1.00", "0.50", "0.70"])
    expect(held.get_by_role("row")).to_have_count(3)
    curves = [path.bounding_box() for path in held.locator("svg.loss path").all()]
    assert len(curves) == 3 and all(box and box["width"] > 20 for box in curves)


def test_a_pinned_prompt_is_followed_through_the_run(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    go_to(page, "Probe")
    ask(page, "The capital of Australia is")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator("#answers .pill")).to_have_text("pinned")
    go_to(page, "Edit")
    page.locator("#start").click()
    job_done(store, "edit")
    pinned = page.locator("#run-card .pinned")
    expect(pinned).to_contain_text(re.compile(r"0\s+Canberra"))
    expect(pinned.locator("mark")).to_have_text("Melbourne")
    go_to(page, "Probe")
    halves = page.locator("#answers .answer").first.locator(".half")
    expect(halves.nth(1)).to_contain_text("after · run 1")
    expect(halves.nth(1).locator("mark")).to_have_text("Melbourne")


def test_what_moves_under_a_button_that_is_held_is_not_pressed(
    open_page: Open, store: Store
) -> None:
    old = store.probes.add("The capital of Australia is")
    page = open_page()
    go_to(page, "Probe")
    page.get_by_role("button", name="Pin", exact=True).hover()
    page.mouse.down()
    new = store.probes.add("The capital of France is")
    expect(page.locator("#answers article")).to_have_count(2)
    page.mouse.up()
    page.get_by_role("button", name="Pin", exact=True).last.click()
    expect(page.locator("#answers .pill")).to_have_text("pinned")
    assert [probe.id for probe in store.probes.pinned()] == [old] != [new]


def test_no_button_moves_while_an_answer_is_written(open_page: Open, store: Store) -> None:
    probe = store.probes.add("The capital of Australia is")
    page = open_page()
    go_to(page, "Probe")
    pin, again = (
        page.get_by_role("button", name=name, exact=True) for name in ("Pin", "Ask again")
    )
    expect(again).to_be_disabled()
    before = pin.bounding_box()
    said = Answered("Canberra", (("C", 1.0),))
    store.probes.set_answers(probe, "built-in", (None, None), said, None)
    expect(again).to_be_enabled()
    after = pin.bounding_box()
    assert before is not None and after is not None
    assert (before["x"], before["y"]) == (after["x"], after["y"])


def test_any_two_runs_stand_side_by_side(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    go_to(page, "Edit")
    page.locator("#start").click()
    first = job_done(store, "edit")
    expect(page.locator("#run-card .outcomes mark")).to_have_text("Melbourne")
    (row,) = store.facts.enabled()
    store.facts.change(row.id, Fact(AUSTRALIA.prompt, "Perth"))
    page.get_by_label("Start from").select_option(label="run 1, on top of it")
    expect(page.locator("#same-command")).to_contain_text("--way continue")
    page.locator("#start").click()
    job_done(store, "edit", first.id)
    expect(page.locator("#run-card .outcomes mark")).to_have_text("Perth")
    expect(page.locator("#run-card")).to_contain_text("on top of run 1")
    go_to(page, "Probe")
    page.get_by_label("Shown as before").select_option(label="run 1 · 6.mlp.down_proj")
    ask(page, "The capital of Australia is")
    halves = page.locator("#answers .answer").first.locator(".half")
    expect(halves.nth(0)).to_contain_text("before · run 1")
    expect(halves.nth(0)).to_contain_text("Melbourne")
    expect(halves.nth(1).locator("mark")).to_have_text("Perth")
    page.get_by_label("Shown as after").select_option(label="base, unedited")
    page.locator("#answers").get_by_role("button", name="Ask again").click()
    expect(halves.nth(1)).to_contain_text("after · base")
    expect(halves.nth(1).locator("mark")).to_have_text("Canberra")


def test_a_fact_is_asked_with_its_rephrases_and_what_must_stay(
    open_page: Open, store: Store
) -> None:
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    go_to(page, "Edit")
    page.locator("#start").click()
    job_done(store, "edit")
    expect(page.locator("#run-card")).to_contain_text("How well did it go?")
    page.get_by_role("button", name="Ask it something").click()
    page.get_by_role("button", name="Ask all its prompts").click()
    rows = page.locator("#answers .answer tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("Melbourne")
    expect(rows.nth(3)).to_contain_text("must stay")
    expect(rows.nth(3)).to_contain_text("Paris")
    page.locator("#answers").get_by_role("button", name="×").click()
    expect(page.locator("#answers")).to_contain_text("Nothing asked yet")


def test_the_history_of_questions_stays(open_page: Open, store: Store) -> None:
    for number in range(11):
        store.ask(f"The capital of country {number} is")
    page = open_page()
    go_to(page, "Probe")
    expect(page.locator("#answers .answer")).to_have_count(8)
    page.get_by_role("button", name="Show older questions").click()
    expect(page.locator("#answers .answer")).to_have_count(11)
    expect(page.get_by_role("button", name="Show older questions")).to_have_count(0)
    expect(page.locator("#answers .halves")).to_have_count(11)
