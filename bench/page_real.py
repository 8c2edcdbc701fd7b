"""How quick the page is with a real model, many facts, runs and layers; see `bench.page`."""

import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bench.large import add_deep_profile, add_runs
from bench.rest import Rest, at_rest
from bench.screenshots import go_to, workbench
from workbench.facts.read import read_facts
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.store import Library, Store
from workbench.store.requests import LoadRequest, edit_request

__all__ = ["Row", "measure_real", "refreshed"]

# What was measured, its seconds, and what is aimed at.
Row = tuple[str, list[float], float]

ROUNDS = 5
RUNS, LAYERS = 200, 80
COUNTRIES = ("Italy", "Spain", "Egypt", "Norway", "Peru", "Kenya")
WORD = re.compile(r"\w")
# What has to be seen in a tab before it counts as opened.
TABS = {
    "Facts": "#facts-table table.facts",
    "Layers": "#layer-grid .heat td button",
    "Edit": "#start",
    "Probe": "#prompt textarea",
    "Evaluate": "#evaluate-start button",
    "Runs": "#runs-table table.runs tr:nth-child(2)",
}


def measure_real(browser: Browser, model: str, facts: Path, most: int) -> tuple[list[Row], Rest]:
    """Measures a session with many facts and runs of a model, and one of a model of many layers.

    Args:
        browser: a real one.
        model: its name.
        facts: a file of facts.
        most: how many of them are taken.

    Returns:
        A row for each step, and what the page costs at rest.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        deep, store = library.create("Many layers"), library.create("Many facts")
        store.settings.choose_model(ModelChoice(model))
        store.facts.add(read_facts(facts).facts[:most], facts.name)
        with workbench(folder) as address:
            _prepare(store)
            summary = store.settings.summary
            assert summary is not None
            add_deep_profile(deep, LAYERS, summary)
            page = browser.new_page()
            page.set_default_timeout(600_000)
            page.goto(address, wait_until="domcontentloaded")
            expect(page.locator("#session-list")).to_have_value(store.id)
            expect(page.locator("#model-card")).to_contain_text("layers")
            rows = _rows(page)
            rest = at_rest(page)
            page.locator("#session-list").select_option(deep.id)
            expect(page.locator("#session-list")).to_have_value(deep.id)
            go_to(page, "Facts")
            rows.append((f"Layers of {LAYERS}", _opened(page, "Layers", away="Probe"), 0.5))
            page.close()
    return rows, rest


def _prepare(store: Store) -> None:
    """One real run on a single fact, so that there is an edit to ask, then the made-up ones."""
    every = [row.id for row in store.facts.enabled()]
    _done(store, store.jobs.ask_for(LoadRequest()))
    store.facts.enable(every[1:], False)
    _done(store, store.jobs.ask_for(edit_request(EditSettings(epochs=3))))
    store.facts.enable(every, True)
    summary = store.settings.summary
    assert summary is not None
    add_runs(store, RUNS - 1, summary)


def _done(store: Store, job: int) -> None:
    while store.jobs.get(job).is_open:
        time.sleep(0.2)
    assert store.jobs.get(job).state == "done", store.jobs.get(job).error


def _rows(page: Page) -> list[Row]:
    for tab in TABS:  # what a tab needs is fetched when it is first opened
        _open(page, tab)
    changes = [_open(page, tab) for _ in range(ROUNDS) for tab in TABS if tab != "Runs"]
    _open(page, "Probe")
    _ask(page, COUNTRIES[0])  # the first time warms up what every later one finds warm
    pairs = [_ask(page, country) for country in COUNTRIES[1:]]
    return [
        ("change of tab", changes, 0.3),
        (f"Runs, {RUNS} of them", _opened(page, "Runs", away="Edit"), 0.5),
        ("probe, from Enter to the first token of the base", [one for one, _ in pairs], 0.5),
        ("… and of the edit", [both for _, both in pairs], 0.5),
        ("usable after a refresh", _reloads(page), 1.0),
    ]


def _opened(page: Page, tab: str, away: str) -> list[float]:
    """Seconds of opening a tab, several times, from another one."""
    found = []
    for _ in range(ROUNDS):
        _open(page, away)
        found.append(_open(page, tab))
    return found


def _open(page: Page, tab: str) -> float:
    """Seconds from a click on a tab until what it shows is seen."""
    page.wait_for_timeout(500)
    began = time.perf_counter()
    page.locator("#tabs [role=tab]:visible", has_text=tab).first.click()
    page.locator(TABS[tab]).first.wait_for(state="visible")
    return time.perf_counter() - began


def _ask(page: Page, country: str) -> tuple[float, float]:
    """Seconds from Enter until something of the base's answer is seen, and of the edit's."""
    field, prompt = page.locator("#prompt textarea"), f"The capital of {country} is"
    field.fill(prompt)
    began = time.perf_counter()
    field.press("Enter")
    card = page.locator("#answers .answer", has_text=prompt).first
    seen: list[float] = []
    for side in ("before", "after"):
        expect(card.locator(f".half.{side} .said")).to_have_text(WORD)
        seen.append(time.perf_counter() - began)
    expect(card.locator(".half.after .token")).not_to_have_count(0)
    return seen[0], seen[1]


def _reloads(page: Page) -> list[float]:
    """Seconds of several reloads of the Facts tab."""
    _open(page, "Facts")
    return [refreshed(page) for _ in range(ROUNDS)]


def refreshed(page: Page) -> float:
    """Seconds from a reload of the Facts tab until a fact is seen and a click is answered."""
    began = time.perf_counter()
    page.reload(wait_until="domcontentloaded")
    box = page.locator("#facts-table").get_by_label("Use this fact").first
    box.wait_for(state="visible")
    counted = page.locator("#facts-table .foot", has_text="ticked").first
    said = counted.inner_text()
    box.click()
    expect(counted).not_to_have_text(said)
    return time.perf_counter() - began
