"""Where the workbench is run: any address, any language, any folder, behind any proxy."""

import gc
import os
import re
import socket
import sys
from pathlib import Path

import httpx
import pytest

from tests.page.conftest import application_of, started
from workbench.errors import SessionError, SettingsError
from workbench.facts import Fact
from workbench.page.listen import address_of, is_for_others, listen
from workbench.page.server import serving
from workbench.store import Library

FACT = Fact("Die Hauptstadt Australiens ist", "München 東京")
NOT_HERE = ("HOME", "TMPDIR", "TMP", "TEMP", "LANGUAGE", "LC_CTYPE", "PYTHONUTF8")
EVENT = "gradio_api/run/predict"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),
        pytest.param("::1", "[::1]", marks=needs_ipv6),
        pytest.param("[::1]", "[::1]", marks=needs_ipv6),
        pytest.param("::", "127.0.0.1", marks=needs_ipv6),
    ],
)
def test_an_address_is_shown_so_that_it_opens(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        port = listener.getsockname()[1]
        url = address_of(listener, host)
        assert url == f"http://{shown}:{port}/"
        assert is_for_others(listener) is (host in ("0.0.0.0", "::"))
        with socket.create_connection((shown.strip("[]"), port), timeout=5):
            pass


@pytest.mark.parametrize("port", [-1, 65536, 10**30])
def test_a_port_that_is_none_is_told(port: int) -> None:
    with pytest.raises(SessionError, match=f"Port {port}"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["a" * 300, "300.1.1.1", ":::"])
def test_a_host_that_is_none_is_told(host: str) -> None:
    with pytest.raises(SessionError, match="cannot be used"):
        listen(host, 0)


def test_a_root_path_or_a_token_that_makes_no_sense_ends_the_start(tmp_path: Path) -> None:
    for wrong in ({"root_path": "//evil.example"}, {"token": "a b"}):
        with pytest.raises(SettingsError), serving("127.0.0.1", 0, tmp_path, **wrong):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_building_the_page_leaves_no_socket_open(tmp_path: Path) -> None:
    application_of(Library(tmp_path / "s"), tmp_path / "u")
    gc.collect()  # a socket that is still open is a warning, and so a failure


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the languages of other systems")
@needs_ipv6
def test_any_language_any_folder_no_home_and_a_desktops_proxy(tmp_path: Path) -> None:
    root = tmp_path / "meine Sitzungen ½ 東京 'x'"
    store = Library(root).create("größe")
    store.facts.add([FACT], "file")
    environment = {k: v for k, v in os.environ.items() if k not in NOT_HERE}
    nowhere = "socks://127.0.0.1:9/"  # nothing listens there
    environment |= {"LANG": "C", "LC_ALL": "C", "ALL_PROXY": nowhere, "http_proxy": nowhere}
    with (
        started(root, "--host", "::1", environment=environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as person,
    ):
        assert re.fullmatch(r"http://\[::1\]:\d+/", url)
        assert "gradio_config" in person.get("/").text
        assert "München 東京" in person.get(f"/facts/{store.id}.csv").text
        packed = person.get(f"/sessions/{store.id}.zip")
        assert packed.status_code == 200 and len(packed.content) > 1000
        upload = person.post("/gradio_api/upload", files={"files": ("größe 東京.csv", b"a,b\n")})
        assert upload.status_code == 200 and Path(upload.json()[0]).is_relative_to(root)
        event = {"fn_index": 0, "data": [store.id], "session_hash": "x"}
        assert person.post(EVENT, json=event).status_code in (200, 422)
        # Not even a link under the address that a browser shows leads elsewhere.
        assert person.get("/config").json()["root"] == url.rstrip("/")
