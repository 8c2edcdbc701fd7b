"""Junk at every address of the server: an answer that says what is wrong, and never a fault."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.page.conftest import application_of, started
from workbench.facts import Fact
from workbench.store import Library, Store

pytestmark = pytest.mark.slow

SEED = 13
FINE = {200, 302, 304, 307, 400, 403, 404, 405, 413, 422}
# What stands in an address where a name or a number should; {session} is one that is there.
NAMES = (
    *("{session}", "{session}", "1", "0", "-1", "scan", "sweep-1", "csv", "json", "..", "%2e%2e"),
    *("99999999999999999999", "9" * 400, "9" * 5000, "1e9", "NaN", "null", "a" * 255, "a" * 5000),
    *("%00", "%0a", "%ff", "%ED%A0%80", "%F0%9F%98%80", "%D9%A1", "sweep-" + "9" * 30),
    *("sweep-%D9%A1", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "http://127.0.0.1:9/x", "'--"),
)
QUERIES = ("", "", "show=", "search=", "upload_id=", "deep_link=", "page=", "token=", "x")
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**63, 2**70, 1e308, "", "a" * 5000, "\0", "😀", "../..", "all"),
    *([], [[]], {}, {"a": 1}, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}),
)
DOES = ("choose", "theme", "show", "search", "keep", "tick", "page", "compare", "unfold", "x", "")
BODIES = (
    *(b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"data": "\\ud800"}', b"[" * 100_000, b"NaN"),
    b'{"fn_index": 1e999, "data": []}',
    b'{"fn_index": 0, "data": ' + b"[" * 900 + b"]" * 900 + b"}",
)
FILES = (b"a.csv", b"a" * 300, b"../../x", b"\0", b"\xff\xfe", b"", b"con")
TYPES = (
    *("application/json", "text/plain", "multipart/form-data", ""),
    *("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"),
)


def routes(application: Any) -> list[tuple[str, str]]:
    """Every method and address of the server, Gradio's among them."""
    found: set[tuple[str, str]] = set()

    def walk(these: Any, before: str) -> None:
        for route in these:
            path = before + getattr(route, "path", "")
            for method in getattr(route, "methods", None) or ():
                found.add((method, path))
            inner = getattr(route, "original_router", None) or getattr(route, "app", None)
            inner = getattr(inner, "inner", inner)
            inside = getattr(inner, "routes", None)
            if not getattr(route, "methods", None) and inside:
                walk(inside, path.rstrip("/"))

    walk(application.routes, "")
    return sorted(found)


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    uploads = tmp_path_factory.mktemp("uploads")
    library = Library(tmp_path_factory.mktemp("sessions"))
    application = application_of(library, uploads)
    found = routes(application)
    paths = {path for _, path in found}
    assert {"/facts/{session}.{kind}", "/gradio_api/upload", "/gradio_api/run/{api_name}"} <= paths
    assert len(found) > 60
    return found


@pytest.fixture(scope="module")
def junk_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Library(tmp_path_factory.mktemp("junk")).create("one")
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "file")
    return store


@pytest.fixture(scope="module")
def person(junk_store: Store) -> Iterator[httpx.Client]:
    """Somebody who has opened a page of a server of these tests' own: its terminal shows what an
    action says of junk."""
    with (
        started(junk_store.folder.parent, quiet=False) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        assert client.get("/").status_code == 200
        yield client


def send(client: httpx.Client, method: str, path: str, **more: Any) -> int:
    """The status of an answer, whose text must have nothing of the house in it."""
    with client.stream(method, path, **more) as answer:
        streams = "event-stream" in answer.headers.get("content-type", "")
        text = b"" if streams else answer.read()
    assert b"Traceback" not in text and b'File "' not in text, (method, path[:200], text[:500])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.status_code in FINE, (method, path[:200], str(more)[:500], text[:200])
    return answer.status_code


def test_no_address_makes_the_server_fail(
    person: httpx.Client, everywhere: list[tuple[str, str]], junk_store: Store
) -> None:
    rng = random.Random(SEED)
    seen = set()
    for _ in range(4):
        for method, path in everywhere:
            named = re.sub(r"\{[^}]*\}", lambda _: rng.choice(NAMES), path)
            query = rng.choice(QUERIES)
            query += rng.choice(NAMES) if query.endswith("=") else ""
            url = f"{named}?{query}".replace("{session}", junk_store.id)
            more: dict[str, Any] = {}
            if method not in ("GET", "HEAD"):
                more["content"] = rng.choice((*BODIES, rng.randbytes(100)))
                more["headers"] = {"content-type": rng.choice(TYPES)}
            if "upload_progress" not in url:  # which waits for an upload
                seen.add(send(person, method, url, **more))
    assert {200, 404} <= seen


def test_no_event_makes_the_server_fail(person: httpx.Client, junk_store: Store) -> None:
    rng = random.Random(SEED)
    config = person.get("/config").json()
    seen = set()
    for _ in range(3):
        for entry in config["dependencies"]:
            data = [rng.choice(VALUES) for _ in entry["inputs"]]
            if data and rng.random() < 0.7:
                data[0] = junk_store.id
            told = {"do": rng.choice(DOES), "value": rng.choice(VALUES), "id": rng.choice(VALUES)}
            event = {
                "fn_index": entry["id"],
                "data": rng.choice((data, data, data, [*data, None], data[1:], None)),
                "session_hash": "x",
                "event_data": rng.choice((told, told, [], None, 5, "x")),
            }
            seen.add(send(person, "POST", "/gradio_api/run/predict", json=event))
    assert seen == {200, 422}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_event_is_refused(person: httpx.Client, body: bytes) -> None:
    header = {"content-type": "application/json"}
    status = send(person, "POST", "/gradio_api/run/predict", content=body, headers=header)
    assert status == 422


@pytest.mark.parametrize("name", FILES, ids=range(len(FILES)))
def test_an_upload_may_have_any_name(person: httpx.Client, name: bytes, junk_store: Store) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="' + name + b'"\r\n\r\n'
        b"abc\r\n--x--\r\n"
    )
    header = {"content-type": "multipart/form-data; boundary=x"}
    send(person, "POST", "/gradio_api/upload", content=body, headers=header)
    root = junk_store.folder.parent
    assert not (root / "x").exists() and not (root.parent / "x").exists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/facts/nowhere.csv", 404),
        (f"/facts/{'a' * 5000}.csv", 404),
        ("/facts/{session}.xml", 404),
        ("/patches/{session}/1", 404),
        ("/patches/{session}/99999999999999999999", 422),
        ("/patches/{session}/one", 422),
        ("/imports/{session}/99999999999999999999.csv", 422),
        ("/reports/{session}/99999999999999999999.html", 422),
        ("/reports/{session}/1.html", 404),
        ("/stresses/{session}/1.html", 404),
        ("/profiles/{session}/sweep-99999999999999999999.csv", 404),
        (f"/profiles/{{session}}/sweep-{'9' * 200}.html", 404),
        ("/sessions/%00.zip", 404),
        ("/gradio_api/file=http://127.0.0.1:9/x", 404),
        ("/gradio_api/proxy=http://127.0.0.1:9/x", 404),
        ("/monitoring", 404),
        ("/gradio_api/startup", 404),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_not_there_or_makes_no_sense_is_said(
    person: httpx.Client, path: str, status: int, junk_store: Store
) -> None:
    assert send(person, "GET", path.replace("{session}", junk_store.id)) == status


def test_the_page_works_after_all_that(person: httpx.Client, junk_store: Store) -> None:
    page = person.get("/")
    assert page.status_code == 200 and "gradio_config" in page.text
    assert person.get(f"/facts/{junk_store.id}.csv").text.count("Melbourne") == 1
    assert Path(junk_store.folder, "session.db").is_file()
