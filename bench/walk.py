"""The whole job on a real model, step by step as a person does it: `python -m bench.walk FACTS`.

Starts a workbench on a folder of its own and drives its page in a real browser: loads a model,
imports a file of facts, scans, sweeps with a budget, edits the facts that a search finds, asks,
evaluates, and writes an adapter. Prints a table with the seconds of each step, on the clock and of
the CPU; `--pictures DIR` keeps what the page shows at the end, in light and dark.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.screenshots import WINDOW, go_to, save_picture, workbench
from tests.browser import BROWSER_FLAGS, find_browser
from workbench.model.choice import ModelChoice
from workbench.model.real import REAL
from workbench.store import Library, Store
from workbench.store.jobs import JobKind
from workbench.work.settings import settings_of
from workbench.work.words import count, share

PATIENCE = 3_600_000  # milliseconds: a busy machine takes long
LOOK_EVERY = 0.2  # seconds
SHOWN = ("Layers", "Edit", "Probe")  # tabs that are photographed


class Walk:
    """The steps of the job, each with what it took.

    Args:
        page: the workbench's page, opened.
        store: its session.
    """

    def __init__(self, page: Page, store: Store) -> None:
        self._page, self._store = page, store
        self.steps: list[tuple[str, float, float, str]] = []
        """Name, seconds on the clock, seconds of the CPU, what came of it."""

    def step(self, name: str, do: Callable[[], str]) -> None:
        """Does a step; what it returns is what came of it, in words."""
        clock, cpu = time.perf_counter(), _spent()
        told = do()
        taken = (time.perf_counter() - clock, _spent() - cpu)
        self.steps.append((name, *taken, told))
        print(f"{name}: {taken[0]:.1f} s, {taken[1]:.1f} s of the CPU; {told}", flush=True)

    def load(self, model: str) -> str:
        """Takes a model in the sidebar."""
        page = self._page
        page.get_by_role("button", name="Use another model").click()
        page.locator("#model-picker textarea").first.fill(model)
        page.locator("#load-model").click()
        while self._store.settings.model.name != model:
            time.sleep(LOOK_EVERY)
        self._done("load")
        summary = self._store.settings.summary
        assert summary is not None
        return f"{summary.layers} layers"

    def bring_in(self, facts: Path) -> str:
        """Drops a file of facts."""
        before = self._store.facts.count()
        self._page.locator("#facts-files input[type=file]").set_input_files(facts)
        self._done("import")
        number = self._store.facts.count()
        assert number > before, "the file brought no facts"
        expect(self._page.locator("#facts-table")).to_contain_text(f"of {number:,} ticked")
        return count(number - before, "fact")

    def scan(self) -> str:
        """Looks which matrices the facts pull at."""
        go_to(self._page, "Layers")
        self._page.get_by_role("button", name="Scan every matrix").click()
        self._done("scan")
        expect(self._page.get_by_role("button", name="Scan again")).to_be_visible()
        kept = self._store.profiles.latest_scan(self._store.settings.model.name)
        assert kept is not None
        return f"{count(len(kept.result.rows), 'place')}, {count(kept.result.sample, 'fact')}"

    def sweep(self, minutes: int) -> str:
        """Tries short edits for so many minutes, and takes the place recommended."""
        page = self._page
        page.get_by_role("button", name=f"about {count(minutes, 'minute')}", exact=True).click()
        page.get_by_role("button", name="Sweep the layers").click()
        self._done("sweep")
        expect(page.get_by_role("button", name="Sweep again")).to_be_visible()
        use = page.locator("#trials [data-do=use]")
        if use.count():
            use.first.click()
        (swept,) = self._store.profiles.sweeps(self._store.settings.model.name)[:1]
        return count(len(swept.rows), "trial")

    def edit(self, found: str, epochs: int) -> str:
        """Edits the facts that a search finds, or all of them where it is empty."""
        page = self._page
        if found:
            go_to(page, "Facts")
            page.get_by_label("Tick every fact found").uncheck()
            table = page.locator("#facts-table")
            expect(table).to_contain_text(re.compile(r"\b0 of [\d,]+ ticked"))
            page.locator("#search").get_by_role("textbox").fill(found)
            expect(table).to_contain_text(re.compile(r"With the [\d,]+ found"))
            page.get_by_label("Tick every fact found").check()
            expect(table).to_contain_text(re.compile(r"[1-9][\d,]* of [\d,]+ ticked"))
        go_to(page, "Edit")
        label = next(s.label for s in settings_of(_settings_of(self._store)) if s.name == "epochs")
        field = page.get_by_role("textbox", name=re.compile(f"^{label}"))
        field.first.fill(str(epochs))
        field.first.press("Tab")
        page.wait_for_timeout(1000)
        page.locator("#start").click()
        self._done("edit")
        expect(page.locator("#run-card")).to_contain_text("How well did it go?")
        run = self._store.runs.all()[0]
        learned, known = self._store.runs.learned(run.id)
        return f"{learned} of {count(known, 'fact')} learned at {', '.join(run.at)}"

    def probe(self) -> str:
        """Asks one of the facts, before and after."""
        page, prompt = self._page, self._store.facts.enabled()[0].fact.prompt
        go_to(page, "Probe")
        page.locator("#prompt textarea").fill(prompt)
        page.locator("#prompt textarea").press("Enter")
        card = page.locator("#answers .answer", has_text=prompt)
        card.locator(".half.after .token").first.wait_for(state="visible")
        card.locator(".half.before .token").first.wait_for(state="visible")
        said = [card.locator(f".half.{side} .said").inner_text() for side in ("before", "after")]
        return " → ".join(" ".join(text.split()) for text in said)

    def evaluate(self) -> str:
        """Measures the run once more, as one asks for it on the tab."""
        go_to(self._page, "Evaluate")
        self._page.get_by_role("button", name=re.compile("^Evaluate run")).click()
        self._done("evaluate")
        shown = self._store.settings.shown_run
        assert shown is not None
        after = self._store.runs.get(shown).metrics["after"]
        names = ("reliability_strict", "generalization_strict", "locality_strict")
        return ", ".join(f"{n.partition('_')[0]} {share(after.get(n))}" for n in names)

    def export(self) -> str:
        """Writes the edit as an adapter, which is asked after that."""
        go_to(self._page, "Runs")
        self._page.get_by_role("button", name="Write the LoRA adapter").click()
        self._done("export")
        return str(self._store.jobs.latest("export").result["lines"][-1])  # type: ignore[union-attr]

    def _done(self, kind: JobKind) -> None:
        """Waits until the last job of a kind is over, and makes sure that it went well."""
        while (job := self._store.jobs.latest(kind)) is None or job.is_open:
            time.sleep(LOOK_EVERY)
        assert job.state == "done", f"{kind}: {job.state}, {job.error}"


def _settings_of(store: Store) -> type:
    return type(store.settings.of("edit", store.settings.method.key))


def _spent() -> float:
    """Seconds of a processor that the workbench and its worker took until now."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" not in process.name().lower() and "node" not in process.name().lower():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def walk(page: Page, store: Store, asked: argparse.Namespace) -> Walk:
    """The whole job."""
    done = Walk(page, store)
    if asked.model != ModelChoice().name:
        done.step("load the model", lambda: done.load(asked.model))
    done.step("import", lambda: done.bring_in(asked.facts))
    done.step("scan", done.scan)
    done.step("sweep with a budget", lambda: done.sweep(asked.minutes))
    done.step("edit, measured at its end", lambda: done.edit(asked.found, asked.epochs))
    done.step("probe", done.probe)
    done.step("evaluate", done.evaluate)
    done.step("export, asked again", done.export)
    return done


def photograph(browser: Browser, address: str, folder: Path) -> None:
    """Keeps what some tabs show, in light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page = browser.new_context(viewport=WINDOW, color_scheme=scheme).new_page()  # type: ignore[arg-type]
        page.goto(address, wait_until="domcontentloaded")
        expect(page.locator("#facts-table table")).to_be_visible()
        for tab in SHOWN:
            go_to(page, tab)
            if tab == "Layers":
                page.get_by_role("button", name="Pull", exact=True).click()
            page.wait_for_timeout(4000)  # plots are drawn, and drawn anew in the page's colours
            save_picture(page, folder / f"real-{tab.lower()}-{scheme}.png")
        page.context.close()


def main() -> int:
    """Walks, and prints the table; 1 when there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("facts", type=Path, help="a file of facts")
    parser.add_argument("--model", default=REAL)
    parser.add_argument("--minutes", type=int, default=1, choices=(1, 5, 10, 30), help="of a sweep")
    parser.add_argument("--epochs", type=int, default=10, help="most epochs of the edit")
    parser.add_argument("--found", default="", help="edit only the facts that this search finds")
    parser.add_argument("--pictures", type=Path, help="where to keep pictures")
    asked = parser.parse_args()
    path = find_browser()
    if path is None:
        print("No Chromium or Chrome was found.")
        return 1
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Library(Path(folder)).create("A real model")
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        with workbench(folder) as address:
            page = browser.new_page(viewport=WINDOW)  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE)
            page.goto(address, wait_until="domcontentloaded")
            expect(page.locator("#model-card")).to_contain_text("layers")
            done = walk(page, store, asked)
            page.close()
            if asked.pictures is not None:
                photograph(browser, address, asked.pictures)
        browser.close()
    print(f"\n{asked.model}, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load", end=" ")
    print(f"{os.getloadavg()[1]:.1f}\n\n| step | clock, s | CPU, s | what came of it |")
    print("| --- | ---: | ---: | --- |")
    for name, clock, cpu, told in done.steps:
        print(f"| {name} | {clock:.1f} | {cpu:.1f} | {told} |")
    print(f"| all | {sum(s[1] for s in done.steps):.1f} | {sum(s[2] for s in done.steps):.1f} | |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
