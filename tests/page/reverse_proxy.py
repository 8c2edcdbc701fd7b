"""A reverse proxy of a few lines, as people put in front of the page; it takes a prefix off."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.local_server import QuietHandler, serving_here

__all__ = ["reverse_proxy"]

HOP = ("connection", "keep-alive", "transfer-encoding")


@contextmanager
def reverse_proxy(address: str, prefix: str, tells: bool = True) -> Iterator[str]:
    """A proxy at a port of its own; yields where it shows the page, with a slash at the end.

    Args:
        address: where the page really is.
        prefix: the path under which it is shown.
        tells: whether it hands on the name and the path that the browser sees.
    """
    behind = urlsplit(address)

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            if not self.path.startswith(prefix + "/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            if tells:
                headers["X-Forwarded-Prefix"] = prefix
            else:
                headers["Host"] = behind.netloc
            connection = http.client.HTTPConnection(behind.netloc)
            connection.request(self.command, self.path.removeprefix(prefix), body, headers)
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            try:
                while piece := answer.read1(1 << 16):
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # the browser has left
            finally:
                connection.close()

        do_GET = do_POST = do_HEAD = pass_on

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    with serving_here(server):
        yield f"http://localhost:{server.server_port}{prefix}/"
