"""A small server on this machine, for the length of a block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

__all__ = ["QuietHandler", "serving_here"]

Server = TypeVar("Server", bound=ThreadingHTTPServer)


class QuietHandler(BaseHTTPRequestHandler):
    """Prints nothing of what it is asked."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving_here(server: Server) -> Iterator[Server]:
    """A block in which a server answers."""
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
