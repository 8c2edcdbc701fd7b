"""Requests that are not the page's own: from other sites, other ports, other programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.local_server import QuietHandler, serving_here
from tests.page.conftest import PATIENCE, Open, started
from workbench.facts import Fact
from workbench.page.access.keys import KEY_NAME
from workbench.store import Library, Store

FACT = Fact("The capital of Australia is", "Melbourne")
EVENT = "gradio_api/run/predict"
UPLOAD = "gradio_api/upload"


@contextmanager
def other_page() -> Iterator[str]:
    """Another server of this machine with a page of its own; yields where."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>other</title><body></body>")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving_here(server):
        yield f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture
def stranger(open_page: Open, store: Store) -> Iterator[Page]:
    """A page at another port, in a browser that has the workbench open and so has its cookie."""
    store.facts.add([FACT], "file")
    own = open_page()
    with other_page() as url:
        page = own.context.new_page()
        page.goto(url)
        yield page
        page.close()


def tried(page: Page, script: str, *given: object) -> Any:
    """What a script on the page comes to; errors are its result."""
    return page.evaluate(
        "async ([script, given]) => { try { return await eval(script)(...given); }"
        " catch (error) { return 'refused: ' + error.name; } }",
        [script, list(given)],
    )


SEND = """async (url, mode, type, body, method = 'POST') => {
  const headers = type ? {'Content-Type': type} : {};
  const answer = await fetch(url, {method, mode, headers, body, credentials: 'include'});
  return answer.type + ' ' + answer.status;
}"""


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
@pytest.mark.parametrize("type_", ["application/json", "text/plain"])
def test_a_page_at_another_port_changes_nothing(
    stranger: Page, address: str, store: Store, mode: str, type_: str
) -> None:
    tables = ("facts", "imports", "runs", "probes", "profiles", "evaluations")
    before = store.version(*tables)
    for number in range(30):
        body = json.dumps({"fn_index": number, "data": [store.id], "session_hash": "x"})
        said = tried(stranger, SEND, f"{address}{EVENT}", mode, type_, body)
        assert said == "refused: TypeError"
    assert store.version(*tables) == before


def test_a_page_at_another_port_uploads_nothing(
    stranger: Page, address: str, library: Library
) -> None:
    before = sorted(library.root.glob(".uploads/**/*"))
    script = """async url => {
      const body = new FormData();
      body.append('files', new Blob(['x']), 'x.csv');
      await fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body});
      return 'sent';
    }"""
    assert tried(stranger, script, f"{address}{UPLOAD}") == "refused: TypeError"
    assert sorted(library.root.glob(".uploads/**/*")) == before


def test_a_form_of_another_page_is_refused(stranger: Page, address: str) -> None:
    script = """url => {
      const form = document.createElement('form');
      Object.assign(form, {method: 'post', action: url, enctype: 'text/plain'});
      document.body.append(form);
      form.submit();
    }"""
    with stranger.expect_response(f"{address}{EVENT}") as waiting:
        tried(stranger, script, f"{address}{EVENT}")
    assert waiting.value.status == 403


@pytest.mark.parametrize("path", ["", "config", "changes", "facts/{session}.csv"])
def test_a_page_at_another_port_reads_nothing(
    stranger: Page, address: str, store: Store, path: str
) -> None:
    url = address + path.format(session=store.id)
    script = "async url => (await fetch(url, {credentials: 'include'})).text()"
    assert tried(stranger, script, url) == "refused: TypeError"


def test_a_page_at_another_port_hears_and_embeds_nothing(stranger: Page, address: str) -> None:
    hears = """url => new Promise(done => {
      const source = new EventSource(url, {withCredentials: true});
      source.onopen = () => done('open');
      source.onerror = () => done('refused');
    })"""
    assert tried(stranger, hears, f"{address}changes") == "refused"
    talks = """url => new Promise(done => {
      const socket = new WebSocket(url.replace('http', 'ws'));
      socket.onopen = () => done('open');
      socket.onerror = () => done('refused');
    })"""
    assert tried(stranger, talks, f"{address}{EVENT}") == "refused"
    runs = """url => new Promise(done => {
      const script = document.createElement('script');
      script.src = url;
      script.onload = () => done('loaded');
      script.onerror = () => done('refused');
      document.body.append(script);
    })"""
    assert tried(stranger, runs, f"{address}assets/index.js") == "refused"
    with stranger.expect_response(address) as waiting:
        stranger.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'),"
            " {src: url}))",
            address,
        )
    assert waiting.value.status == 403
    assert not any(frame.locator("#tabs").count() for frame in stranger.frames)


def test_a_link_on_another_page_leads_to_the_workbench(
    stranger: Page, address: str, store: Store
) -> None:
    stranger.evaluate("url => { location.href = url; }", f"{address}?session={store.id}")
    expect(stranger.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)


def test_what_is_smuggled_into_the_page_does_not_run(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    expect(page.locator("#facts-table")).to_be_visible(timeout=PATIENCE)
    ran = page.evaluate(
        """async () => {
          window.smuggled = [];
          const place = document.createElement('div');
          place.innerHTML = '<img src="x" onerror="smuggled.push(1)"><a href="javascript:'
            + 'smuggled.push(2)">x</a>';
          document.body.append(place);
          const script = document.createElement('script');
          script.textContent = 'smuggled.push(3)';
          place.append(script);
          place.querySelector('a').click();
          const sent = await fetch('http://127.0.0.1:9/', {mode: 'no-cors'})
            .then(() => 'sent', () => 'refused');
          await new Promise(done => setTimeout(done, 300));
          return [...smuggled, sent];
        }"""
    )
    assert ran == ["refused"]
    page.close()


def test_a_page_that_has_lost_its_key_says_so(open_page: Open, store: Store) -> None:
    page = open_page()
    page.context.clear_cookies()
    page.locator("#session-card").get_by_role("button", name="New").click()
    note = page.locator("#refused-note")
    expect(note).to_contain_text("does not have the key of this workbench", timeout=PATIENCE)
    note.get_by_role("button", name="Load the page again").click()
    expect(note).to_have_count(0)
    expect(page.locator("#session-list")).to_have_value(store.id, timeout=PATIENCE)
    page.get_by_role("button", name="Add the 20 sample facts").first.click()
    expect(page.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)


def test_a_program_without_the_key_changes_nothing(address: str, library: Library) -> None:
    event = {"fn_index": 0, "data": [""], "session_hash": "x"}
    with httpx.Client(base_url=address) as program:
        for path in (EVENT, UPLOAD, "gradio_api/queue/join", "gradio_api/reset", "nowhere"):
            assert program.post(path, json=event).status_code == 403
            evil = {"origin": "https://evil.example"}
            assert program.post(path, json=event, headers=evil).status_code == 403
            asks = {**evil, "access-control-request-method": "POST"}
            answer = program.options(path, headers=asks)
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control")]
        program.get("/")
        assert program.post(EVENT, json=event).status_code != 403
    assert (library.root / KEY_NAME).stat().st_mode & 0o077 == 0


def test_no_file_of_this_machine_is_taken_for_an_upload(
    address: str, library: Library, tmp_path: Path
) -> None:
    """Gradio, mounted, copies any file that an event names to where it serves files."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    marks = {"meta": {"_type": "gradio.FileData"}}
    with httpx.Client(base_url=address) as person:
        config = person.get("/config").json()
        [number, takes] = next(
            (entry["id"], len(entry["inputs"]))
            for entry in config["dependencies"]
            if entry["backend_fn"] and len(entry["inputs"]) > 1
        )
        person.get("/")
        for path in (str(secret), "/etc/passwd", "http://127.0.0.1:9/x", "a\0b"):
            file = {"path": path, **marks}
            event = {"fn_index": number, "data": ["", [file]] + [""] * (takes - 2)}
            answer = person.post(EVENT, json=event)
            assert answer.status_code == 422 and "not uploaded" in answer.json()["error"]
    assert not list(library.root.glob(".uploads/*/secret.txt"))


def test_a_token_of_ones_own_is_demanded_here_too(tmp_path: Path, browser: Browser) -> None:
    options = ("--token", "a+b", "--root-path", "/wb")
    with started(tmp_path, *options) as url:
        base, _, query = url.partition("?")
        assert base.endswith("/wb/") and query == "token=a%2Bb"
        assert httpx.get(base).status_code == 403
        page = browser.new_page()
        page.goto(url)
        expect(page.locator("#facts-table")).to_contain_text("The capital of", timeout=PATIENCE)
        # Without the key the stream of changes is closed, and the page says why.
        page.context.clear_cookies()
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true, writable: true})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.evaluate("document.hidden = false")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        note = page.locator("#refused-note")
        expect(note).to_contain_text("refuses this page", timeout=PATIENCE)
        page.close()


def test_beyond_this_machine_a_token_is_demanded(tmp_path: Path, browser: Browser) -> None:
    Library(tmp_path).create("one").facts.add([FACT], "file")
    with started(tmp_path, "--host", "0.0.0.0") as url:
        base, _, token = url.partition("?token=")
        assert len(token) >= 32
        page = browser.new_page()
        page.goto(base)
        expect(page.locator("body")).to_contain_text("The token is missing")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("body")).to_contain_text("is not the one of this workbench")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)
        # The token does not stay where somebody could read it; the cookie opens the page now.
        assert "token" not in page.url
        page.goto(base)
        expect(page.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)
        page.close()
        assert httpx.get(f"{base}changes").status_code == 403
        assert httpx.get(f"{base}config?token={token}").status_code == 200
