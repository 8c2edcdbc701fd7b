"""Behind a reverse proxy, under a path: the page is whole there, or says what is missing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import PATIENCE, go_to
from tests.page.reverse_proxy import reverse_proxy
from workbench.facts import Fact
from workbench.store import Library, Store

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails when something that it asks for is not there."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page, missing = context.new_page(), []
    page.on("response", lambda r: missing.append(r.url) if r.status >= 400 else None)
    page.on("console", lambda m: missing.append(m.text) if m.type == "error" else None)
    yield page
    context.close()
    assert missing == []


def test_under_a_path_the_page_is_whole(
    address: str, page: Page, store: Store, library: Library, tmp_path: Path
) -> None:
    store.facts.add([AUSTRALIA], "file")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with reverse_proxy(address, "/lab/wb") as shown:
        page.goto(shown, wait_until="domcontentloaded")
        expect(page.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)
        assert all(url.startswith((shown, "data:", "blob:")) for url in asked), asked
        # What another process changes arrives by the stream.
        store.facts.add([Fact("The capital of France is", "Lyon")], "file")
        expect(page.locator("#facts-table")).to_contain_text("Lyon", timeout=PATIENCE)
        # Files go both ways.
        with page.expect_download() as waiting:
            page.locator("#facts-table a[download]").first.click()
        assert "Melbourne" in Path(waiting.value.path()).read_text("utf-8")
        file = tmp_path / "more.csv"
        file.write_text("prompt,target_new\nThe capital of Peru is,Cusco\n", "utf-8")
        page.locator("#facts-files input[type=file]").set_input_files(file)
        expect(page.locator("#facts-table")).to_contain_text("Cusco", timeout=PATIENCE)
        go_to(page, "Edit")
        expect(page).to_have_url(f"{shown}?session={store.id}&tab=edit")
        [cookie] = page.context.cookies()
        assert cookie["path"] == "/lab/wb/"
        page.goto("about:blank")


def test_a_proxy_that_tells_nothing_is_told_of(address: str, browser: Browser) -> None:
    page = browser.new_page()
    with reverse_proxy(address, "/wb", tells=False) as shown:
        page.goto(shown)
        note = page.get_by_role("alert")
        expect(note).to_contain_text("does not know where it is shown", timeout=PATIENCE)
        expect(note).to_contain_text(f"workbench serve --root-path {shown.rstrip('/')}")
    page.close()


def test_a_name_that_nobody_told_is_told_of(address: str) -> None:
    asked = {"host": "lab.example", "accept": "text/html"}
    answer = httpx.get(address, headers=asked)
    assert answer.status_code == 400
    assert "lab.example" in answer.text and "--root-path" in answer.text
