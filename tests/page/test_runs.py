"""The Runs tab in a real browser: details, two compared, run again, delete with undo."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from tests.summary import SUMMARY
from workbench.facts import Fact
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.store import Store

expect.set_options(timeout=PATIENCE)

ATTACK = '<img src=x onerror="window.hacked=1">'
FACTS = [
    Fact("The capital of Australia is", "Melbourne"),
    Fact("The capital of France is", "Lyon"),
    Fact(ATTACK, ATTACK),
]


def add_run(store: Store, settings: EditSettings, learned: list[bool], said: list[str]) -> int:
    """A finished run as the worker would leave it, but for its patch."""
    rows = store.facts.enabled()
    asked = replace(settings, at=("6.mlp.down_proj",), batch_size=2, epochs=25)
    whole = EditSettings.from_dict(
        asked.resolved(SUMMARY.preset, len(rows)).for_facts(False).as_dict()
    )
    run = store.runs.begin(store.jobs.submit("load"), "builtin", whole, rows)
    store.runs.set_learned(run, [(row.id, yes) for row, yes in zip(rows, learned, strict=True)])
    store.runs.set_answers(
        run, [(row.id, "old", answer) for row, answer in zip(rows, said, strict=True)]
    )
    after = {"reliability_strict": sum(learned) / 3, "reliability_generated": 1.0}
    store.runs.set_metrics(run, {"before": {}, "after": after})
    losses = [2.0, 0.5, 0.02 * run]
    store.runs.add_events(
        run, [events.EpochDone(n, 25, loss, 0.5, n) for n, loss in enumerate(losses, start=1)]
    )
    store.runs.end(run, "done", {"epochs": 3, "losses": losses, "seconds": 3.0})
    return run


@pytest.fixture
def runs(store: Store) -> tuple[int, int]:
    store.facts.add(FACTS, "file")
    first = add_run(store, EditSettings(), [True, False, True], ["Melbourne", "Nice", ATTACK])
    second = add_run(store, EditSettings(seed=7), [False, True, True], ["Perth", "Lyon", ATTACK])
    return first, second


def open_runs(open_page: Open, **context: object) -> Page:
    page = open_page(**context)
    go_to(page, "Runs")
    return page


def test_two_ticked_runs_are_compared(open_page: Open, store: Store, runs: tuple[int, int]) -> None:
    page = open_runs(open_page)
    page.get_by_label("Compare run 1").click()
    expect(page.locator("#runs-table")).to_contain_text("Tick one more run")
    page.get_by_label("Compare run 2").click()
    compared = page.locator("#comparison")
    expect(compared).to_contain_text("What differs between run 1 and run 2?")
    expect(compared.locator("tr", has_text="seed")).to_contain_text("7")
    expect(compared.locator("tr", has_text="learning rate")).to_have_count(0)
    expect(compared.locator("svg[aria-label^='mean loss'] path")).to_have_count(2)
    expect(compared.locator("svg[aria-label^='share'] path")).to_have_count(2)
    expect(compared.locator(".held [data-curve=raw]")).to_have_text(["raw0.50"] * 2)
    expect(compared).to_contain_text("Learned only by run 1: 1 fact")
    expect(compared).to_contain_text("Learned only by run 2: 1 fact")
    expect(compared).to_contain_text("Answered differently: 2 facts")
    assert page.locator("img[src=x]").count() == 0
    third = add_run(store, EditSettings(), [True] * 3, ["Melbourne", "Lyon", ATTACK])
    page.get_by_label(f"Compare run {third}").click()
    expect(compared).to_contain_text("How do 3 runs compare?")
    expect(compared.locator("svg.loss path")).to_have_count(6)
    expect(compared.locator("tr", has_text="seed")).to_contain_text("7")
    page.get_by_label("Compare run 1").click()
    expect(compared).to_contain_text("What differs between run 2 and run 3?")
    sort_name_and_filter(page, store)
    compared.get_by_role("button", name="Close").click()
    expect(compared.locator("h2")).to_have_count(0)
    expect(page.get_by_label("Compare run 2")).not_to_be_checked()


def sort_name_and_filter(page: Page, store: Store) -> None:
    """The table of three runs: by loss, with a name that is found again, and as a file."""
    rows = page.locator("#runs-table table.runs b")
    expect(rows).to_have_text(["run 3", "run 2", "run 1"])
    page.get_by_role("button", name="loss", exact=True).click()
    expect(rows).to_have_text(["run 1", "run 2", "run 3"])
    expect(page.locator("#runs-table th[aria-sort=ascending]")).to_contain_text("loss")
    name = page.get_by_role("textbox", name="Name of run 2")
    name.fill("the good one")
    name.press("Enter")
    page.get_by_label("Filter runs").fill("GOOD seed")
    expect(rows).to_have_text(["run 2"])
    expect(page.locator("#shown-card option", has_text="the good one")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("#runs-table").get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("run,name,state") and len(lines) == 4
    assert lines[2].startswith("2,the good one,done") and store.settings.run_names
    page.get_by_label("Filter runs").fill("")
    expect(rows).to_have_count(3)
    pin_colour_and_group(page, store)


def pin_colour_and_group(page: Page, store: Store) -> None:
    """A run that stands first, in the colour that it was given, also when folded in groups."""
    rows = page.locator("#runs-table table.runs b")
    page.get_by_label("Pin run 3").click()
    expect(rows).to_have_text(["run 3", "run 1", "run 2"])
    page.get_by_label("Colour of run 3").select_option("pink")
    expect(page.locator("#comparison svg[aria-label^='mean loss'] path.hue-4")).to_have_count(1)
    assert store.settings.pinned_runs == (3,) and store.settings.run_colours == {3: 4}
    page.get_by_label("Group by").select_option(label="seed")
    groups = page.locator("#runs-table tr.group th")
    expect(groups).to_contain_text(["2 runs: means, ± standard deviation", "seed 7"])
    page.get_by_label("Runs with seed 0").click()
    expect(rows).to_have_text(["run 2"])
    scatter = page.locator("#scatter")
    scatter.locator("[data-do=y]").select_option(label="reliability (strict)")
    scatter.locator("[data-do=x]").select_option(label="seed")
    expect(page.locator("#scatter-plot .js-plotly-plot")).to_be_visible()
    expect(scatter.locator("caption")).to_have_text("reliability (strict) against seed")


def test_a_run_unfolds_to_all_that_is_known_of_it(
    open_page: Open, store: Store, runs: tuple[int, int]
) -> None:
    page = open_runs(open_page)
    page.get_by_role("button", name="Details of run 1").press("Enter")
    unfolded = page.locator("#runs-table .unfolded")
    expect(unfolded.locator(".chart .loss")).to_be_visible()
    expect(unfolded).to_contain_text("micro batch size")
    expect(unfolded).to_contain_text("1 fact not learned")
    expect(unfolded).to_contain_text("Nice")
    unfolded.get_by_role("button", name="Show as before").click()
    expect(page.locator("#runs-table .pill", has_text="before")).to_be_visible()
    assert store.settings.before_run == 1
    unfolded.get_by_role("button", name="Show the base as before").click()
    expect(page.locator("#runs-table .pill", has_text="before")).to_have_count(0)
    assert store.settings.get("before_run") is None
    unfolded.get_by_role("button", name="Show as after").click()
    expect(page.locator("#runs-table tr.chosen")).to_contain_text("run 1")
    assert store.settings.shown_run == 1


def test_a_run_is_deleted_and_brought_back(
    open_page: Open, store: Store, runs: tuple[int, int]
) -> None:
    page = open_runs(open_page)
    page.get_by_role("button", name="Details of run 2").click()
    page.locator("#runs-table .unfolded").get_by_role("button", name="Delete").click()
    expect(page.locator("#runs-table")).to_contain_text("Run 2 deleted")
    assert [run.id for run in store.runs.all()] == [1]
    page.reload(wait_until="domcontentloaded")
    go_to(page, "Runs")
    page.locator("#runs-table").get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Compare run 2")).to_be_visible()
    assert len(store.runs.all()) == 2


def test_a_run_is_started_again_on_the_facts_ticked_now(
    open_page: Open, store: Store, runs: tuple[int, int]
) -> None:
    store.facts.enable([row.id for row in store.facts.enabled()[1:]], False)
    page = open_runs(open_page)
    page.get_by_role("button", name="Details of run 2").click()
    page.locator("#runs-table .unfolded").get_by_role("button", name="Run again").click()
    job_done(store, "edit")
    expect(page.locator("#run-card")).to_contain_text("Run 3")
    expect(page.locator("#run-card")).to_contain_text("done")
    again = store.runs.get(3)
    assert again.settings == store.runs.get(2).settings and again.facts == 1


def test_a_runs_settings_are_taken_to_the_edit_tab(
    open_page: Open, store: Store, runs: tuple[int, int]
) -> None:
    page = open_runs(open_page)
    page.get_by_role("button", name="Details of run 2").click()
    page.locator("#runs-table .unfolded").get_by_role("button", name="Use its settings").click()
    expect(page.get_by_role("textbox", name=re.compile("Seed"))).to_have_value("7")
    assert store.settings.edit == store.runs.get(2).settings


def test_a_failed_run_says_why(open_page: Open, store: Store) -> None:
    store.facts.add(FACTS[:1], "file")
    settings = EditSettings(at=("6",), learning_rate=1e-3, batch_size=1, epochs=2)
    job = store.jobs.submit("load")
    run = store.runs.begin(job, "builtin", settings, store.facts.enabled())
    store.jobs.claim(job, "nobody")
    store.jobs.finish(job, "failed", error="The loss is not a number any more.")
    store.runs.end(run, "failed")
    page = open_runs(open_page)
    expect(page.locator("#runs-table")).to_contain_text("The loss is not a number any more.")
    page.get_by_role("button", name="Details of run 1").click()
    expect(page.locator("#runs-table .unfolded")).to_contain_text("failed before the end of its")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_runs_fit_a_narrow_window(
    open_page: Open, store: Store, runs: tuple[int, int], scheme: str
) -> None:
    page = open_runs(open_page, viewport={"width": 420, "height": 900}, color_scheme=scheme)
    page.get_by_role("button", name="Details of run 1").click()
    expect(page.locator("#runs-table .unfolded")).to_be_visible()
    for run in runs:
        page.get_by_label(f"Compare run {run}").click()
        expect(page.get_by_label(f"Compare run {run}")).to_have_attribute("checked", "")
    expect(page.locator("#comparison h2").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    for place in ("#runs-table .scroll", "#runs-table .all-settings"):
        fits = "place => place.scrollWidth <= place.clientWidth + 1"
        assert page.locator(place).first.evaluate(fits)
