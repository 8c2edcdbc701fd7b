"""How quick the page is: `python -m bench.page`.

Starts the workbench as `make run` does, twice, and measures the second start, a refresh, a probe
pair, the patch going on and off, an edit of one typed fact, and how late a run's epochs are shown,
each as a person sees it in a real browser; the patch also inside the engine; and what an open page
costs while nobody does anything. Prints tables with the targets. Needs Chromium or Chrome.

`python -m bench.page --model smollm2-135m --facts FILE` measures the page on a model that the world
uses instead: with a thousand facts, two hundred runs and eighty layers; see `bench.page_real`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.page_real import Row, measure_real, refreshed
from bench.rest import Rest, at_rest, lateness
from bench.screenshots import go_to, workbench
from tests.browser import BROWSER_FLAGS, find_browser
from workbench import load_model
from workbench.model.patch import Patch
from workbench.model.real import REAL
from workbench.store import Library

PATIENCE = 120_000  # milliseconds
ROUNDS = 5
REST_TARGETS = {"browser": "2 %", "server": "1 %", "worker": "1 %"}
COUNTRIES = ["Italy", "Spain", "Egypt", "Norway", "Peru", "Kenya"]


def main() -> int:
    """Measures everything and prints the tables; 1 when there is no browser."""
    parser = argparse.ArgumentParser(description="How quick the page is.")
    parser.add_argument("--model", default=REAL, help="the model, where facts are given")
    parser.add_argument("--facts", type=Path, help="a file of facts")
    parser.add_argument("--count", type=int, default=1000, help="so many of them are taken")
    asked = parser.parse_args()
    path = find_browser()
    if path is None:
        print("No Chromium or Chrome was found.")
        return 1
    expect.set_options(timeout=PATIENCE if asked.facts is None else 5 * PATIENCE)
    if asked.facts is None:
        rows, rest = _builtin(path)
    else:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
            rows, rest = measure_real(browser, asked.model, asked.facts, asked.count)
            browser.close()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("| what | median, s | longest, s | target, s |\n| --- | ---: | ---: | ---: |")
    for name, seconds, target in rows:
        print(f"| {name} | {statistics.median(seconds):.3f} | {max(seconds):.3f} | {target:g} |")
    _print_rest(rest)
    return 0


def _builtin(path: Path) -> tuple[list[Row], Rest]:
    """Measures the page on the built-in model."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as sessions, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        with workbench(sessions) as address:
            _edit(browser.new_page(), address)
        rows.append(("page answers after start", [_start(sessions)], 10.0))
        with workbench(sessions) as address:
            page = browser.new_page()
            page.goto(address, wait_until="domcontentloaded")
            expect(page.locator("#model-card")).to_contain_text("layers")
            rest = at_rest(page)
            rows.append(("progress of a run shown", lateness(page, sessions), 0.5))
            go_to(page, "Facts")
            rows.append(("usable after a refresh", _repeat(lambda: refreshed(page)), 2.0))
            go_to(page, "Probe")
            rows.append(("probe pair, from Enter to both", _repeat(lambda: _probe(page)), 1.0))
            rows.append(("other run shown, on the page", _repeat(lambda: _switch(page)), 1.0))
            rows.append(("one typed fact, from Start", _repeat(lambda: _typed(page)), 3.0))
        browser.close()
        rows.append(("patch on and off, in the engine", _patch(Path(sessions)), 0.05))
    return rows, rest


def _print_rest(rest: Rest) -> None:
    print("\n| at rest for 30 s | measured | target |\n| --- | ---: | ---: |")
    print(f"| requests of the page | {rest.requests} | 3 |")
    for part, target in REST_TARGETS.items():
        share = f"{100 * rest.shares[part]:.1f} %"
        print(f"| {part}, of a core | {share} | {target} |")


def _repeat(measure: Callable[[], float]) -> list[float]:
    measure()  # the first time warms up what every later one finds warm
    return [measure() for _ in range(ROUNDS)]


def _edit(page: Page, address: str) -> None:
    """One run, so that there is a patch to switch."""
    page.goto(address, wait_until="domcontentloaded")
    expect(page.locator("#model-card")).to_contain_text("layers")
    go_to(page, "Edit")
    page.locator("#start").click()
    expect(page.locator("#shown-run")).to_have_value("1")
    expect(page.locator("#now")).to_contain_text("Nothing is running")
    page.close()


def _start(sessions: str) -> float:
    """Seconds from the command to the page's first answer."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--sessions", sessions, "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[2]
        while True:
            try:
                with urllib.request.urlopen(address, timeout=30) as answer:
                    answer.read()
                break
            except urllib.error.URLError:
                time.sleep(0.02)
        seconds = time.perf_counter() - began
        server.terminate()
    return seconds


def _probe(page: Page) -> float:
    """Seconds from Enter until both answers are seen, with their next tokens."""
    prompt = page.locator("#prompt").locator("input, textarea")
    asked = f"The capital of {COUNTRIES.pop()} is"
    prompt.fill(asked)
    began = time.perf_counter()
    prompt.press("Enter")
    card = page.locator("#answers .answer", has_text=asked)
    card.locator(".half.after .token").first.wait_for(state="visible")
    card.locator(".half.before .token").first.wait_for(state="visible")
    return time.perf_counter() - began


def _switch(page: Page) -> float:
    """Seconds from choosing what is shown as after until the page has followed."""
    shown = page.locator("#shown-run")
    wanted = "" if shown.input_value() else "1"
    table = page.locator("#fact-answers")
    began = time.perf_counter()
    shown.select_option(wanted)
    if wanted:
        expect(table.locator("table")).to_be_visible()
    else:
        expect(table.locator("table")).to_have_count(0)
    return time.perf_counter() - began


def _typed(page: Page) -> float:
    """Seconds from Start until the new answer of the only fact of a new session is seen."""
    before = page.locator("#session-list").input_value()
    page.locator("#session-card").get_by_role("button", name="New").click()
    expect(page.locator("#session-list")).not_to_have_value(before)
    go_to(page, "Facts")
    page.get_by_label("Prompt", exact=True).fill("The capital of Australia is")
    page.get_by_label("New answer", exact=True).fill("Melbourne")
    page.get_by_role("button", name="Add fact").click()
    expect(page.locator("#facts-table")).to_contain_text("The capital of Australia is")
    go_to(page, "Edit")
    began = time.perf_counter()
    page.locator("#start").click()
    expect(page.locator("#run-card .outcomes mark").first).to_have_text("Melbourne")
    return time.perf_counter() - began


def _patch(sessions: Path) -> list[float]:
    """Seconds to put the patch on and take it off again."""
    store = Library(sessions).latest()
    model, patch = load_model("builtin"), Patch.load(store.runs.patch_folder(1))
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        with patch.applied(model):
            pass
        seconds.append(time.perf_counter() - began)
    return seconds[1:]


if __name__ == "__main__":
    raise SystemExit(main())
