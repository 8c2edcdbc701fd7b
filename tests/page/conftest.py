"""One workbench and one browser for all tests of the page; each test has its own session."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.apart import apart
from tests.browser import BROWSER_FLAGS, find_browser
from workbench.page.server import build_application
from workbench.store import Library, Store
from workbench.store.jobs import Job, JobKind

ROOT = Path(__file__).resolve().parents[2]
# Milliseconds. No test should come near it: what takes its time is a job, for whose end a test
# waits with `job_done`; this is for a machine that has much else to do.
PATIENCE = 180_000
LONGEST_JOB = 600.0  # seconds
POLICY = "Content Security Policy"  # what a browser says of whatever the policy forbids

WINDOW: ViewportSize = {"width": 1440, "height": 900}

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(tmp_path_factory.mktemp("sessions"))


@contextmanager
def started(
    root: Path, *options: str, environment: Mapping[str, str] | None = None, quiet: bool = True
) -> Iterator[str]:
    """A workbench in a process of its own; yields where it answers.

    Args:
        root: its sessions.
        options: further ones of its command.
        environment: all its variables; None for those of the tests.
        quiet: whether its terminal must show no error.
    """
    server = subprocess.Popen(
        [
            *(sys.executable, "app.py", "--port", "0", "--sessions", str(root), "--no-browser"),
            *options,
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        found = re.search(r"http://\S+", line)
        if found:
            break
    else:
        pytest.fail(f"The workbench did not start:\n{said}")
    try:
        yield found.group()
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=LONGEST_JOB)
    # What a view cannot draw stays as it was, so that only the terminal tells of it.
    assert not quiet or "Traceback" not in said, said


@pytest.fixture(scope="session")
def address(library: Library) -> Iterator[str]:
    """Where the workbench answers."""
    with started(library.root) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium or Chrome for the page's tests.")
        pytest.skip("No Chromium or Chrome for the page's tests.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def store(library: Library) -> Iterator[Store]:
    """A fresh session, which is the one that the page opens."""
    store = library.create(f"test {time.time():.3f}")
    _make_newest(store)
    yield store
    # Else the next test's second page might show this session.
    if store.folder.exists():
        store.settings.set("opened", 0.0)


def _make_newest(store: Store) -> None:
    """No session opened within the next minute is newer, until a page has arrived in this one."""
    store.settings.set("opened", time.time() + 60)


@pytest.fixture(scope="session")
def kept_page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that test after test opens the workbench in: half the work of a fresh one."""
    page = browser.new_context(viewport=WINDOW).new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    page.context.close()


@pytest.fixture
def open_page(browser: Browser, kept_page: Page, address: str, store: Store) -> Iterator[Open]:
    """Opens the page; no request may leave the machine, nor anything fail.

    A test's first page is the kept one, as new; further ones, those of another kind (with settings
    of Playwright's contexts) and those that a test changes for good are in fresh contexts.
    """
    pages: list[Page] = []
    problems: list[str] = []
    heard: dict[str, Callable[..., None]] = {
        "pageerror": lambda error: problems.append(str(error)),
        "console": lambda m: problems.append(m.text) if POLICY in m.text else None,
        "request": lambda r: None if _is_local(r.url, address) else problems.append(r.url),
    }

    def open_page(fresh: bool = False, **context: object) -> Page:
        if fresh or context or pages:
            page = browser.new_context(**{"viewport": WINDOW, **context}).new_page()  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE)
        else:
            page = kept_page
        pages.append(page)
        for event, listener in heard.items():
            page.on(event, listener)  # type: ignore[call-overload]
        _make_newest(store)  # a test's other session may have been made since
        page.goto(address, wait_until="domcontentloaded")
        expect(page.locator("#session-list")).to_have_value(store.id, timeout=PATIENCE)
        return page

    yield open_page
    for page in pages:
        if page is kept_page:
            _as_new(page, heard)
        else:
            page.context.close()
    assert problems == []


def _as_new(page: Page, heard: Mapping[str, Callable[..., None]]) -> None:
    """Takes away what a test left in the page that is kept."""
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    page.context.clear_cookies()
    page.set_viewport_size(WINDOW)
    for event, listener in heard.items():
        page.remove_listener(event, listener)


def application_of(library: Library, uploads: Path) -> FastAPI:
    """All that a server serves, made beside the loop that drives a browser."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", "")  # what is set in there ends with this
        return apart(lambda: asyncio.run(build_application(library, uploads)))[0]


def job_done(store: Store, kind: JobKind, after: int = 0) -> Job:
    """Waits until a job that the page was asked for has ended, however long that takes.

    Args:
        store: the session.
        kind: of the job.
        after: the job before, when this is not the session's first of its kind.
    """
    end = time.monotonic() + LONGEST_JOB
    while True:
        job = store.jobs.latest(kind)
        if job is not None and job.id > after and not job.is_open:
            return job
        assert time.monotonic() < end, f"{job} does not end"
        time.sleep(0.05)


def _is_local(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))


def go_to(page: Page, tab: str) -> None:
    """Opens one of the tabs."""
    page.locator("#tabs [role=tab]:visible", has_text=tab).first.click()
