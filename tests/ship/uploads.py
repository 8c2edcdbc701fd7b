"""A stand-in for the hub on this machine, which takes uploads."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from tests.local_server import QuietHandler, serving_here

__all__ = ["Uploads", "taking_uploads"]


class Uploads(ThreadingHTTPServer):
    """Keeps what it was asked.

    Args:
        status: what it answers when a repository is to be made.
    """

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.made: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.tokens: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(QuietHandler):
    server: Uploads

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = str(self.headers["Authorization"])
        self.server.tokens.add(token)
        if self.path == "/api/repos/create":
            said = json.loads(body)
            self.server.made.append(said)
            url = f"{self.server.url}/{said['organization']}/{said['name']}"
            self._answer(self.server.status, {"url": url, "error": f"no rights with {token}"})
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            paths = [file["path"] for file in json.loads(body)["files"]]
            some = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer(200, {"files": [{"path": path, **some} for path in paths]})
        else:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.files[line["value"]["path"]] = content
            told = {"commitUrl": f"{self.server.url}/me/mine/commit/1", "commitOid": "1"}
            self._answer(200, told)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        said = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@contextmanager
def taking_uploads(status: int = 200) -> Iterator[Uploads]:
    """A hub for the length of a block."""
    with serving_here(Uploads(status)) as server:
        yield server
