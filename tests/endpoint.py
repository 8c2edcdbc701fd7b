"""A stand-in for an OpenAI-compatible endpoint, on this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from tests.local_server import QuietHandler, serving_here


class Endpoint(ThreadingHTTPServer):
    """Stands in for an OpenAI-compatible endpoint.

    Args:
        replies: what it answers, one after another, the last again and again: a text as a
            completion, a number as a status, anything else as JSON.
    """

    def __init__(self, replies: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = replies
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(QuietHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = self.server.asked
        reply = self.server.replies[min(len(asked), len(self.server.replies) - 1)]
        asked.append((self.path, dict(self.headers), body))
        status = reply if isinstance(reply, int) else 200
        if isinstance(reply, str):
            reply = {"choices": [{"message": {"role": "assistant", "content": reply}}]}
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/v1/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())


@contextmanager
def endpoint(*replies: Any) -> Iterator[Endpoint]:
    """An endpoint for the length of a block."""
    with serving_here(Endpoint(list(replies))) as server:
        yield server
