"""The server: whom it answers, on which port, and what it never loads."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from workbench.facts import Fact, parse_facts
from workbench.recipe.errors import SessionError
from workbench.session import Store
from workbench.ui.server import serving


def get(url: str, host: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_building_the_page_never_imports_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.session import Library;"
        "from workbench.ui.app import build; build(Library(Path(sys.argv[1])));"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "gradio" in loaded
    assert not {"torch", "transformers", "workbench.engine"} & loaded


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


def test_files_of_the_sessions_folder_are_not_served(address: str, store: Store) -> None:
    path = store.folder / "session.db"
    assert get(f"{address}gradio_api/file={path}")[0] in (403, 404)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SessionError, match=f"Port {port}"),
            serving("127.0.0.1", port, tmp_path),
        ):
            pass


def test_a_folder_in_use_is_refused(address: str, store: Store) -> None:
    with (
        pytest.raises(SessionError, match="Another workbench"),
        serving("127.0.0.1", 0, store.folder.parent),
    ):
        pass
