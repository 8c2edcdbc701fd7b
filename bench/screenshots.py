"""Makes the README's pictures from the running workbench: `python -m bench.screenshots`.

Starts a workbench on a folder of its own, sweeps and runs the sample facts through the real worker,
and photographs the tabs in light and dark into assets/pictures.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import BROWSER_FLAGS, find_browser

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "assets" / "pictures"
WINDOW = {"width": 1280, "height": 800}
TRIED = ("2.mlp.down_proj", "4.mlp.down_proj", "7.mlp.down_proj", "6.mlp.down_proj")
PATIENCE = 180_000  # milliseconds
COLOURS = 256  # of a picture; few are on the page


@contextmanager
def workbench(sessions: str) -> Iterator[str]:
    """A running workbench; yields its address."""
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--sessions", sessions, "--no-browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None, "the workbench did not start"
        yield found.group()
    finally:
        server.terminate()
        server.wait(timeout=30)


def go_to(page: Page, tab: str) -> None:
    """Opens a tab and lets it settle."""
    page.locator("#tabs [role=tab]:visible", has_text=tab).first.click()
    page.wait_for_timeout(800)


def work(page: Page) -> None:
    """Sweeps and scans, edits at several layers, and asks two questions."""
    expect(page.locator("#model-card")).to_contain_text("layers")
    go_to(page, "Layers")
    page.get_by_role("button", name="Sweep the layers").click()
    expect(page.get_by_role("button", name="Sweep again")).to_be_visible()
    page.get_by_role("button", name="Scan every matrix").click()
    expect(page.get_by_role("button", name="Scan again")).to_be_visible()
    for number, location in enumerate(TRIED, start=1):
        go_to(page, "Layers")
        page.locator(f'#layer-grid [data-at="{location}"]').click()
        expect(page.locator("#location-card h2")).to_contain_text(location)
        go_to(page, "Edit")
        page.locator("#start").click()
        expect(page.locator("#run-card h2").first).to_have_text(f"Run {number}")
        expect(page.locator("#run-card")).to_contain_text("How well did it go?")
    go_to(page, "Probe")
    for prompt in ("What is the capital of Italy?", "The capital of Australia is"):
        page.locator("#prompt textarea").fill(prompt)
        page.locator("#ask").click()
        expect(page.locator("#answers .answer", has_text=prompt).locator(".halves")).to_be_visible()


def photograph(browser: Browser, address: str, scheme: str) -> None:
    """Saves a picture of every tab."""
    context = browser.new_context(viewport=WINDOW, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address, wait_until="domcontentloaded")
    expect(page.locator("#facts-table table")).to_be_visible()
    for tab in ("Facts", "Layers", "Edit", "Probe", "Runs"):
        go_to(page, tab)
        if tab == "Layers":
            expect(page.locator("#sweep-plot .js-plotly-plot")).to_be_visible()
            page.wait_for_timeout(1500)  # plots are drawn anew in the page's colours
        save_picture(page, PICTURES / f"{tab.lower()}-{scheme}.png")
    context.close()


def save_picture(page: Page, path: Path) -> None:
    """Saves what a page shows, with few colours."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


def main() -> int:
    """Makes all pictures; 1 when there is no browser."""
    browser_path = find_browser()
    if browser_path is None:
        print("No Chromium or Chrome was found.")
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with (
        tempfile.TemporaryDirectory() as sessions,
        workbench(sessions) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport=WINDOW)  # type: ignore[arg-type]
        page.add_init_script("localStorage.setItem('workbench-tour', 'over')")
        page.goto(address, wait_until="domcontentloaded")
        work(page)
        page.close()
        for scheme in ("light", "dark"):
            photograph(browser, address, scheme)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
