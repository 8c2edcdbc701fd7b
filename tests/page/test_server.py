"""The server: whom it answers, on which port, and what it never loads."""

import io
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.page.conftest import LONGEST_JOB, PATIENCE, started
from workbench.errors import SessionError
from workbench.facts import Fact, parse_facts
from workbench.page.server import serving
from workbench.store import Library, Store
from workbench.store.database import connect_to_read
from workbench.store.lock import LOCK_NAME, FolderLock
from workbench.store.status import WorkerStatus


def get(url: str, host: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE / 1000) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.slow
def test_building_the_page_never_imports_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.store import Library;"
        "from workbench.page.app import build; build(Library(Path(sys.argv[1])));"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "gradio" in loaded
    assert not {"torch", "transformers", "workbench.model.language_model"} & loaded


def test_only_names_of_this_machine_are_answered(address: str) -> None:
    assert get(address)[0] == 200
    assert get(address, "attacker.example")[0] == 400


def test_the_ticked_facts_can_be_downloaded(address: str, store: Store) -> None:
    store.facts.add([Fact("The capital of Australia is", "Melbourne, or so")], "file")
    status, content = get(f"{address}facts/{store.id}.csv")
    assert status == 200
    assert [fact.target_new for fact in parse_facts(content, "facts.csv")] == ["Melbourne, or so"]
    assert get(f"{address}facts/nonsense.csv")[0] == 404
    assert get(f"{address}patches/{store.id}/1")[0] == 404


def test_programs_may_read_and_only_the_page_may_change(address: str, store: Store) -> None:
    assert store.id in get(f"{address}api/sessions")[1].decode()
    assert b"POST /api/edit" in get(f"{address}api")[1]
    asked = urllib.request.Request(
        f"{address}api/edit", b'{"session": "' + store.id.encode() + b'"}'
    )
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(asked, timeout=PATIENCE / 1000)
    refused.value.close()
    assert store.jobs.open_jobs() == []


def test_files_of_the_sessions_folder_are_not_served(address: str, store: Store) -> None:
    path = store.folder / "session.db"
    assert get(f"{address}gradio_api/file={path}")[0] in (403, 404)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SessionError, match=f"Port {port} on 127.0.0.1 cannot be used"),
            serving("127.0.0.1", port, tmp_path),
        ):
            pass


@pytest.fixture
def second(address: str, library: Library) -> Iterator[str]:
    """Where another workbench on the same folder answers."""
    with started(library.root) as url:
        yield url


def inside(folder: Path) -> dict[str, str]:
    """Every session's tables, and every other file but the worker's notes of what it does."""
    found = {}
    for path in folder.rglob("*"):
        if path.name == "session.db":
            with closing(connect_to_read(path)) as connection:
                found[str(path)] = "\n".join(connection.iterdump())
        elif path.is_file() and path.suffix not in (".db-wal", ".db-shm", ".json", ".log"):
            found[str(path)] = f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    return found


def at_rest(folder: Path) -> dict[str, str]:
    """What is inside once the first workbench has done what it does by itself, such as lengths."""
    end = time.monotonic() + LONGEST_JOB
    before = inside(folder)
    while True:
        time.sleep(3)
        now = inside(folder)
        if now == before:
            return now
        assert time.monotonic() < end, "the first workbench never rests"
        before = now


def test_a_second_workbench_shows_and_changes_nothing(
    second: str, browser: Browser, store: Store, library: Library
) -> None:
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "file")
    status = WorkerStatus.read(library.root)
    before = at_rest(library.root)
    page = browser.new_page()
    page.goto(second, wait_until="domcontentloaded")
    expect(page.locator("#banner")).to_contain_text(
        "Another workbench, started at", timeout=PATIENCE
    )
    expect(page.locator("#facts-table")).to_contain_text("Melbourne", timeout=PATIENCE)
    expect(page.locator("#session-list")).to_have_value(store.id)
    page.get_by_role("button", name="Add the 20 sample facts").first.click()
    message = page.locator("#message")
    expect(message).to_contain_text("shows them and changes nothing", timeout=PATIENCE)
    message.get_by_role("button", name="Dismiss").click()
    page.locator("#session-card").get_by_role("button", name="New").click()
    expect(message).to_contain_text("shows them and changes nothing", timeout=PATIENCE)
    assert inside(library.root) == before
    now = WorkerStatus.read(library.root)
    assert status is not None and now is not None and now.pid == status.pid
    # It follows what the first one does.
    store.facts.add([Fact("The capital of France is", "Lyon")], "file")
    expect(page.locator("#facts-table")).to_contain_text("Lyon", timeout=PATIENCE)
    page.close()


def test_a_second_workbench_without_sessions_says_that_there_is_none(
    browser: Browser, tmp_path: Path
) -> None:
    lock = FolderLock(tmp_path / LOCK_NAME)
    with started(tmp_path) as url:
        page = browser.new_page()
        page.goto(url, wait_until="domcontentloaded")
        expect(page.locator("#banner")).to_contain_text("There is no session", timeout=PATIENCE)
        page.close()
    lock.release()
    assert Library(tmp_path).ids() == []


def test_a_session_is_streamed_as_a_zip_that_leaves_nothing(
    address: str, store: Store, library: Library
) -> None:
    status, content = get(f"{address}sessions/{store.id}.zip")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == ["session.db", "session.json"]
    assert get(f"{address}sessions/..%2F..%2Fetc.zip")[0] == 404
    # The file goes once the last byte is on its way.
    end = time.monotonic() + PATIENCE / 1000
    while list(library.root.glob(".copy-*")):
        assert time.monotonic() < end
        time.sleep(0.02)
