"""How quick the page is with many facts: upload, next page, search, an edit, and its memory.

`python -m bench.import_page` starts a workbench on a folder of its own, uploads a file of made-up
facts in a real browser, and measures each step from the click to what is seen, the shortest and
the longest of a few; and the CPU seconds that the web process spent meanwhile, which other
programs on the machine change little. Memory is the web process's alone, at most, looked at all
the time.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect, sync_playwright

from bench.facts import made_up
from tests.browser import BROWSER_FLAGS, find_browser
from workbench.facts import write_facts
from workbench.store import Library

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300_000  # milliseconds
TIMES = 5
Taken = tuple[float, float]
LOOK_EVERY = 0.1  # seconds between two looks at the memory


class Watched:
    """The web process while it is watched."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._process = psutil.Process(process.pid)
        self.largest = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            self.largest = max(self.largest, self._process.memory_info().rss)

    def cpu(self) -> float:
        """The CPU seconds that the process has spent so far."""
        spent = self._process.cpu_times()
        return float(spent.user + spent.system)

    def stop(self) -> None:
        """Ends the watching."""
        self._over.set()
        self._thread.join()


@contextmanager
def workbench(sessions: Path) -> Iterator[Watched]:
    """A running workbench."""
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--sessions", str(sessions), "--no-browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert server.stdout is not None
    found = re.search(r"http://\S+", server.stdout.readline())
    assert found is not None, "the workbench did not start"
    watched = Watched(server, found.group())
    try:
        yield watched
    finally:
        watched.stop()
        server.terminate()
        server.wait(timeout=30)


class Clock:
    """Measures steps from an action to what it makes visible."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def __call__(self, do: Callable[[], None], seen: Callable[[], None]) -> Taken:
        """Seconds by the clock, and by the web process's CPU."""
        began, spent = time.perf_counter(), self._watched.cpu()
        do()
        seen()
        return time.perf_counter() - began, self._watched.cpu() - spent


def measure(
    page: Page, file: Path, rows: int, sessions: Path, timed: Clock
) -> dict[str, list[Taken]]:
    """Does every step, and tells how long each took."""
    table = page.locator("#facts-table")
    expect(page.locator("#model-card")).to_contain_text("layers")
    before = 20
    upload = timed(
        lambda: page.locator("#facts-files input[type=file]").set_input_files(file),
        lambda: expect(table).to_contain_text(f"of {rows + before:,} ticked"),
    )
    _until_measured(sessions)
    taken: dict[str, list[Taken]] = {"upload to visible": [upload]}
    for number in range(1, TIMES + 1):
        taken.setdefault("next page", []).append(
            timed(
                table.get_by_role("button", name="Next").click,
                lambda first=50 * number + 1: expect(table).to_contain_text(f"{first:,}–"),  # type: ignore[misc]
            )
        )
    search = page.locator("#search").get_by_role("textbox")
    for number in range(TIMES):
        sought = f"number {rows - 1 - number}"
        taken.setdefault("search", []).append(
            timed(
                lambda sought=sought: search.fill(sought),  # type: ignore[misc]
                lambda sought=sought: expect(table.locator("tr").nth(1)).to_contain_text(sought),  # type: ignore[misc]
            )
        )
        taken.setdefault("edit", []).append(_edit(page, timed, f"Edited {number}"))
    search.fill("")
    expect(table).to_contain_text("1–50 of")
    for number in range(TIMES):
        taken.setdefault("edit, nothing sought", []).append(_edit(page, timed, f"Changed {number}"))
        taken.setdefault("tick", []).append(_tick(page, timed))
    return taken


def _until_measured(sessions: Path) -> None:
    """Waits until the worker has counted all tokens, which it does once after an import."""
    store = Library(sessions).latest()
    began = time.perf_counter()
    while store.lengths.unmeasured(store.settings.model.name, 1):
        time.sleep(1)
    print(f"tokens counted {time.perf_counter() - began:.0f} s after the facts were visible")
    time.sleep(3)


def _edit(page: Page, timed: Clock, answer: str) -> Taken:
    """Changes the first answer; done when it is kept and drawn again."""
    table = page.locator("#facts-table")
    cell = table.get_by_label("new answer").first
    cell.fill(answer)
    mark = "document.querySelector('#facts-table table').dataset.old = '1'"
    page.evaluate(mark)
    return timed(
        lambda: cell.press("Enter"),
        lambda: expect(table.locator("table:not([data-old])")).to_contain_text(answer),
    )


def _tick(page: Page, timed: Clock) -> Taken:
    table = page.locator("#facts-table")
    page.evaluate("document.querySelector('#facts-table table').dataset.old = '1'")
    return timed(
        lambda: table.get_by_label("Use this fact").nth(2).click(),
        lambda: expect(table.locator("table:not([data-old])")).to_have_count(1),
    )


def main() -> int:
    """The command line; 1 when there is no browser."""
    parser = argparse.ArgumentParser(description="Time the page with many facts.")
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    browser_path = find_browser()
    if browser_path is None:
        print("No Chromium or Chrome was found.")
        return 1
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "facts.csv"
        write_facts(made_up(rows), file)
        sessions = Path(folder) / "sessions"
        with workbench(sessions) as watched, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=list(BROWSER_FLAGS)
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(PATIENCE)
            page.goto(watched.url, wait_until="domcontentloaded")
            taken = measure(page, file, rows, sessions, Clock(watched))
            browser.close()
            largest = watched.largest
    print(
        f"{rows:,} facts; load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print("| step | seconds, shortest | longest | CPU of the web process, shortest |")
    print("| --- | ---: | ---: | ---: |")
    for step, measured in taken.items():
        seconds, cpu = zip(*measured, strict=True)
        print(f"| {step} | {min(seconds):.2f} | {max(seconds):.2f} | {min(cpu):.2f} |")
    print(f"memory of the web process: {largest / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
