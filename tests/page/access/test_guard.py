"""The guard: which requests come in, and what every answer carries."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from workbench.page.access.guard import Guard
from workbench.page.access.keys import Keys
from workbench.page.access.site import NO_ROOT, RootPath

SECRET = b"s" * 32
NAMES = ("localhost", "127.0.0.1", "::1")
PAGE = (
    "<!doctype html><html><head><script>config = 1</script></head><body>"
    '<script src="x.js"></script><script type="module">\n2\n</script></body></html>'
)
HERE = "http://localhost:7860"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def small() -> FastAPI:
    """A server that would let everybody in, and read along."""
    application = FastAPI()

    @application.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE

    @application.get("/facts.csv")
    def read() -> StreamingResponse:
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}
        return StreamingResponse(iter(["a", "b"]), headers=headers)

    @application.post("/change")
    async def change(request: Request) -> dict[str, Any]:
        return {"url": str(request.url), "bytes": len(await request.body())}

    @application.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret of the house")

    return application


def client(token: str = "", root: RootPath = NO_ROOT, base: str = HERE, **more: Any) -> TestClient:
    guard = Guard(small(), root, NAMES, Keys(SECRET, token), **more)
    return TestClient(guard, base_url=base, raise_server_exceptions=False)


@pytest.fixture
def person() -> Iterator[TestClient]:
    """A browser that has opened the page."""
    with client() as browser:
        assert browser.get("/").status_code == 200
        yield browser


def test_what_the_page_itself_asks_for_is_done(person: TestClient) -> None:
    own = {"origin": HERE, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    answer = person.post("/change", headers=own, content=b"12345")
    assert (answer.status_code, answer.json()["bytes"]) == (200, 5)
    # A page that sends no referrer has no origin to tell in some of its own requests.
    hidden = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert (person.post("/change", headers=hidden)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8888"},
        {"origin": "http://127.0.0.1:7860"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"])
def test_other_pages_are_refused_with_the_right_cookie_too(
    person: TestClient, headers: dict[str, str], method: str
) -> None:
    path = "/facts.csv" if method in ("GET", "HEAD") else "/change"
    answer = person.request(method, path, headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_link_from_anywhere_leads_to_the_page_and_nothing_else(
    person: TestClient,
) -> None:
    assert (person.get("/", headers=LINK)).status_code == 200
    assert (person.get("/facts.csv", headers=LINK)).status_code == 403
    framed = {**LINK, "sec-fetch-dest": "iframe"}
    assert (person.get("/", headers=framed)).status_code == 403
    assert (person.post("/", headers=LINK)).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"origin": HERE}], ids=["no origin", "own origin"])
def test_nothing_changes_without_the_pages_key(headers: dict[str, str]) -> None:
    with client() as stranger:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = stranger.request(method, "/change", headers=headers)
            assert answer.status_code == 403
            assert "Load the page again" in answer.json()["error"]
        # What only reads is open to whoever can reach the machine itself.
        assert (stranger.get("/facts.csv")).text == "ab"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "localhost.evil.example", "10.0.0.1", "[::2]:80"]
)
def test_a_name_that_is_not_this_machines_is_refused(host: str) -> None:
    with client() as browser:
        answer = browser.get("/", headers={"host": host})
        assert answer.status_code == 400 and "--root-path" in answer.json()["error"]
        behind = {"host": "localhost", "x-forwarded-host": host}
        assert (browser.get("/", headers=behind)).status_code == 400


@pytest.mark.parametrize("host", ["", "a b", "localhost:99999", "localhost/x"])
@pytest.mark.parametrize("token", ["", "secret"])
def test_a_host_that_is_none_is_refused(host: str, token: str) -> None:
    with client(token) as browser:
        answer = browser.get("/", headers={"host": host}, params={"token": token})
        assert answer.status_code == 400


@pytest.mark.parametrize("base", ["http://localhost", "http://127.0.0.1:1", "http://[::1]:7860"])
def test_this_machines_names_are_known_at_every_port(base: str) -> None:
    with client(base=base) as browser:
        assert (browser.get("/")).status_code == 200
        assert (browser.post("/change", headers={"origin": base})).status_code == 200


def test_with_a_token_nothing_is_shown_without_it() -> None:
    with client("secret") as browser:
        for path in ("/", "/facts.csv", "/nowhere", "/?token=wrong"):
            answer = browser.get(path, headers={"accept": "text/html,*/*"})
            assert answer.status_code == 403
            assert "?token=" in answer.text and "--token" in answer.text
            assert "<form" in answer.text and "config" not in answer.text
        assert "set-cookie" not in answer.headers
        assert (browser.get("/facts.csv")).json()["error"].startswith("The token")


def test_the_token_opens_the_page_once_and_the_cookie_from_then_on() -> None:
    with client("secret") as browser:
        assert (browser.get("/?token=secret&tab=edit")).status_code == 200
        assert (browser.get("/facts.csv")).status_code == 200
        assert (browser.post("/change", headers={"origin": HERE})).status_code == 200
        evil = {"origin": "https://evil.example"}
        assert (browser.post("/change", headers=evil)).status_code == 403


def test_a_program_shows_the_token_in_a_header() -> None:
    with client("secret") as program:
        header = {"authorization": "Bearer secret"}
        assert (program.post("/change", headers=header)).status_code == 200
        assert (program.get("/facts.csv?token=secret")).status_code == 200
        # Another page can write an address, and so is not believed for it when something changes.
        assert (program.post("/change?token=secret")).status_code == 403


def test_with_a_token_any_name_will_do() -> None:
    with client("secret", base="http://gpu.lab.example:7860") as browser:
        assert (browser.get("/?token=secret")).status_code == 200
        origin = {"origin": "http://gpu.lab.example:7860"}
        assert (browser.post("/change", headers=origin)).status_code == 200


def test_behind_a_proxy_the_page_is_at_the_proxys_address() -> None:
    root = RootPath.read("https://lab.example/wb")
    with client("secret", root, "http://127.0.0.1:7860") as browser:
        page = browser.get("/?token=secret")
        assert "Path=/wb/" in page.headers["set-cookie"] and "Secure" in page.headers["set-cookie"]
        key = {"cookie": page.headers["set-cookie"].partition(";")[0]}
        for path in ("/change", "/wb/change"):
            answer = browser.post(path, headers={**key, "origin": "https://lab.example"})
            assert answer.json()["url"] == "https://lab.example/wb/change"
        wrong = {**key, "origin": "http://127.0.0.1:7860"}
        assert (browser.post("/change", headers=wrong)).status_code == 403


def sources(policy: str) -> dict[str, str]:
    """A policy's directives by name."""
    parts = [part.strip().partition(" ") for part in policy.split(";")]
    return {name: value for name, _, value in parts}


def test_every_answer_says_what_a_browser_may_do_with_it() -> None:
    with client() as browser:
        evil = {"origin": "https://evil.example"}
        answers = [
            browser.get("/"),
            browser.get("/facts.csv"),
            browser.get("/nowhere"),
            browser.get("/broken"),
            browser.get("/facts.csv", headers=evil),
            browser.get("/", headers={"host": "evil.example"}),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 404, 500, 403, 400]
        for answer in answers:
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            policy = sources(answer.headers["content-security-policy"])
            assert policy["frame-ancestors"] == "'none'"
            assert policy["default-src"] in ("'self'", "'none'")
            assert "access-control-allow-origin" not in answer.headers
            assert "secret of the house" not in answer.text and "Traceback" not in answer.text


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_only_the_pages_own_scripts_run() -> None:
    with client(scripts=["late()"]) as browser:
        answer = browser.get("/", headers={"accept-encoding": "identity"})
        assert answer.headers["content-length"] == str(len(answer.content))
        policy = sources(answer.headers["content-security-policy"])
        allowed = policy["script-src"].split()
        for script in ("config = 1", "\n2\n", "late()"):
            assert hash_of(script) in allowed
        assert len([one for one in allowed if "sha256" in one]) == 5  # with ours
        assert "'unsafe-inline'" not in allowed and hash_of("evil()") not in allowed
        assert {policy["object-src"], policy["frame-src"]} == {"'none'"}
        assert {policy["connect-src"], policy["base-uri"]} == {"'self'"}


def test_the_page_is_packed_for_browsers_that_unpack() -> None:
    with client() as browser:
        answer = browser.get("/", headers={"accept-encoding": "br, gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert "config = 1" in answer.text


def test_no_websocket_is_opened(person: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        person.websocket_connect("/", headers={"origin": HERE}),
    ):
        pass
    assert closed.value.code == 1008


@pytest.mark.parametrize(
    "path", [f"/{'a' * 256}", f"/{'ä' * 128}", "/a/" * 2000, "/%00", "/a%0ab", "/%7f", "/%1b[0m"]
)
def test_no_name_that_no_file_has_gets_further(path: str) -> None:
    with client() as browser:
        assert (browser.get(path)).status_code == 404
