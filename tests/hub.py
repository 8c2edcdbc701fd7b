"""A hub on this machine that has no model and knows who asked, in place of the real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.local_server import QuietHandler, serving_here

TOKEN = "hf_of_the_person"


class Hub(ThreadingHTTPServer):
    """Counts connections, and keeps each request's path with the token that came with it."""

    def __init__(self) -> None:
        self.connections = 0
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()


class _Answer(QuietHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Hub)
        self.server.asked.append(f"{self.path} {self.headers.get('Authorization')}")
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET


@contextmanager
def local_hub(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Hub]:
    """A local hub, which processes that are started meanwhile take for the real one.

    Args:
        monkeypatch: of the test.
        home: where they keep what they fetch.
    """
    server = Hub()
    for name in ("http_proxy", "https_proxy", "all_proxy", "hf_hub_offline"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with serving_here(server):
        yield server
