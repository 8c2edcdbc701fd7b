"""A page at rest asks for nothing, and yet follows whatever happens, wherever it happens."""

import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import PATIENCE, ROOT, Open, go_to
from tests.page.test_form import made
from workbench.facts import Fact
from workbench.page.app import build
from workbench.store import Library, Store

expect.set_options(timeout=PATIENCE)

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
FRANCE = Fact("The capital of France is", "Lyon")


def asked_by(page: Page) -> list[str]:
    """The addresses that a page asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def wait_for_rest(page: Page) -> None:
    """Waits until what was begun, as by loading the model, is over."""
    expect(page.locator("#model-card")).to_contain_text("layers")
    asked = asked_by(page)
    for _ in range(20):
        before = len(asked)
        page.wait_for_timeout(4000)
        if len(asked) == before:
            return
    raise AssertionError("The page never rests.")


def hide(page: Page, hidden: bool) -> None:
    """Tells a page that its tab is hidden, or shown again."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_a_page_at_rest_asks_for_nothing_and_does_nothing(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "file")
    page = open_page()
    for tab in ("Layers", "Edit", "Probe", "Evaluate", "Runs", "Facts"):
        go_to(page, tab)
    wait_for_rest(page)
    asked = asked_by(page)
    page.evaluate(
        """() => {
          window.mutations = 0;
          new MutationObserver(all => { mutations += all.length; })
            .observe(document, {subtree: true, childList: true, attributes: true});
        }"""
    )
    page.wait_for_timeout(6000)
    assert len(asked) <= 1
    assert page.evaluate("mutations") == 0
    running = "document.getAnimations().filter(a => a.playState === 'running').length"
    assert page.evaluate(running) == 0


def test_gradios_progress_gets_no_frames(open_page: Open, store: Store) -> None:
    page = open_page()
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    [address] = {name for name in loaded if "statustracker" in name and name.endswith(".js")}
    with urllib.request.urlopen(address) as answer:
        assert "javascript" in answer.headers["Content-Type"]
        script = answer.read().decode()
    assert "(() => 0)" in script and "requestAnimationFrame" not in script


def test_nothing_of_the_page_is_queued(tmp_path: Path) -> None:
    blocks = made(lambda: build(Library(tmp_path)))
    assert [entry.name for entry in blocks.fns.values() if entry.queue and entry.fn] == []


def test_the_progress_of_a_job_arrives(open_page: Open, store: Store) -> None:
    page = open_page()
    wait_for_rest(page)
    job = store.jobs.submit("import", {"path": "", "name": "facts.csv"})
    store.jobs.claim(job, "test")
    for share in (0.1, 0.5, 0.9):
        store.jobs.report(job, share, f"at {share}")
        expect(page.locator("#now")).to_contain_text(f"at {share}")
    store.jobs.finish(job, "done")
    expect(page.locator("#now")).to_contain_text("Nothing is running")


def test_the_page_follows_what_another_process_changes(
    open_page: Open, store: Store, library: Library
) -> None:
    page = open_page()
    wait_for_rest(page)
    code = (
        "import sys; from pathlib import Path; from workbench.store import Library;"
        "from workbench.facts import Fact;"
        "store = Library(Path(sys.argv[1])).open(sys.argv[2]);"
        "store.facts.add([Fact('The capital of Australia is', 'Melbourne')], 'file')"
    )
    asked = asked_by(page)
    subprocess.run([sys.executable, "-c", code, str(library.root), store.id], cwd=ROOT, check=True)
    expect(page.locator("#facts-table")).to_contain_text("Melbourne")
    page.wait_for_timeout(1500)
    # One drawing, then one more at most, of what the worker has found out about the fact.
    assert 1 <= len(asked) <= 4
    # What happens in another session is none of this page's business.
    wait_for_rest(page)
    other = library.create("Rivers")
    wait_for_rest(page)
    seen = len(asked)
    other.facts.add([FRANCE], "file")
    page.wait_for_timeout(1500)
    assert len(asked) == seen


def test_many_tabs_follow_by_one_stream(browser: Browser, address: str, store: Store) -> None:
    context = browser.new_context()
    streams: list[str] = []
    context.on("request", lambda r: streams.append(r.url) if r.url.endswith("/changes") else None)
    pages = [context.new_page() for _ in range(7)]
    for page in pages:
        page.goto(address, wait_until="domcontentloaded")
        expect(page.locator("#session-list")).to_have_value(store.id)
    store.facts.add([AUSTRALIA], "file")
    for page in pages:
        expect(page.locator("#facts-table")).to_contain_text("Melbourne")
    assert len(streams) == 1
    # The tab that held the stream goes; another one takes it up.
    pages[0].close()
    store.facts.add([FRANCE], "file")
    for page in pages[1:]:
        expect(page.locator("#facts-table")).to_contain_text("Lyon")
    assert len(streams) == 2
    context.close()


def test_a_hidden_tab_rests_and_is_right_when_it_is_shown(open_page: Open, store: Store) -> None:
    page = open_page()
    wait_for_rest(page)
    hide(page, True)
    asked = asked_by(page)
    store.facts.add([AUSTRALIA], "file")
    page.wait_for_timeout(2500)
    assert asked == []
    hide(page, False)
    expect(page.locator("#facts-table")).to_contain_text("Melbourne")


def quiet_port() -> int:
    """A free port that no connection is given: those that are may be taken before it is used."""
    for port in random.sample(range(10_000, 30_000), 100):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    pytest.fail("No port is free.")


@contextmanager
def server_at(port: int, root: Path) -> Iterator[subprocess.Popen[str]]:
    """A workbench at a port, killed at the end without notice."""
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", f"{port}", "--sessions", f"{root}", "--no-browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        assert "http://" in server.stdout.readline()
        yield server
    finally:
        server.kill()
        server.communicate(timeout=20)


def test_the_page_follows_again_after_the_server_was_killed(
    browser: Browser, tmp_path: Path
) -> None:
    port = quiet_port()
    page = browser.new_page()
    with server_at(port, tmp_path):
        page.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
        expect(page.locator("#facts-table")).to_contain_text("The capital of")
        # It is a first start: the tour begins, and is left for good.
        page.locator("#tour").get_by_role("button", name="Not now").click()
    expect(page.locator("#away-note")).to_contain_text("This page goes on by itself")
    store = Library(tmp_path).latest()
    store.facts.add([AUSTRALIA], "file")
    with server_at(port, tmp_path) as server:
        expect(page.locator("#facts-table")).to_contain_text("Melbourne")
        expect(page.locator("#away-note")).to_have_count(0)
        # After an update the page comes anew, since the server hears other events than it sends.
        page.evaluate("window.old = new BroadcastChannel('workbench-changes')")
        page.evaluate("window.old.postMessage({edition: 'another'})")
        page.wait_for_function("!window.old")
        expect(page.locator("#facts-table")).to_contain_text("Melbourne")
        expect(page.locator("#tour")).to_be_hidden()
        store.facts.add([FRANCE], "file")
        expect(page.locator("#facts-table")).to_contain_text("Lyon")
        # One that is asked to end does not wait for the streams of open pages.
        began = time.monotonic()
        server.terminate()
        server.wait(timeout=20)
        assert time.monotonic() - began < 10
    page.close()
