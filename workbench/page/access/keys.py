"""The keys of one server: the token that people type, and the cookie that the page got.

The cookie is derived from a secret that is kept beside the sessions, so that an open page goes on
after the server was started again, and named after it, so that two workbenches on one machine, at
whichever ports, never overwrite each other's. Browsers send it to no other site; other ports of
this machine are kept out by what `workbench.page.access.guard` asks besides.
"""

import contextlib
import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from workbench.page.access.site import Site

__all__ = ["Keys", "kept_secret", "new_token"]

KEY_NAME = "workbench.key"
_LENGTH = 32  # bytes


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_hex(24)


def kept_secret(folder: Path, may_write: bool) -> bytes:
    """The secret that lies beside the sessions; a new one where there is none that can be used.

    Args:
        folder: the sessions' folder.
        may_write: whether a new one may be kept there.
    """
    path = folder / KEY_NAME
    with contextlib.suppress(OSError, ValueError):
        kept = bytes.fromhex(path.read_text("ascii").strip())
        if len(kept) == _LENGTH:
            return kept
    fresh = secrets.token_bytes(_LENGTH)
    if may_write:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(fresh.hex() + "\n", "ascii")
    return fresh


class Keys:
    """What a request must show.

    Args:
        secret: of the sessions' folder.
        token: what people must have to see anything; empty when the page is for everybody who can
            reach it, which is this machine alone.
    """

    def __init__(self, secret: bytes, token: str = "") -> None:
        self.token = token
        name = hashlib.sha256(b"name" + secret).hexdigest()
        self._name = f"workbench-{name[:12]}"
        self._value = hmac.new(secret, b"page" + token.encode(), "sha256").hexdigest()

    @property
    def demanded(self) -> bool:
        """Whether nothing is shown without a key."""
        return bool(self.token)

    @property
    def query(self) -> str:
        """What the page's address ends with, so that it opens."""
        return f"?token={quote(self.token, safe='')}" if self.token else ""

    def fit(self, headers: Headers, query: bytes = b"") -> bool:
        """Whether a request shows the page's cookie or, where there is one, the token.

        Args:
            headers: of the request.
            query: of its address.
        """
        if _same(_cookie(headers, self._name), self._value):
            return True
        if not self.token:
            return False
        kind, _, given = headers.get("authorization", "").partition(" ")
        shown = [given.strip()] if kind.lower() in ("bearer", "token") else []
        shown += parse_qs(query.decode("latin-1")).get("token", [])
        return any(_same(text, self.token) for text in shown)

    def cookie(self, site: Site) -> str:
        """The header that lets a browser keep the page's cookie.

        Args:
            site: where it sees the page.
        """
        safe = "; Secure" if site.scheme == "https" else ""
        place = quote(site.prefix, safe="/%:@+~") + "/"
        return f"{self._name}={self._value}; Path={place}; HttpOnly; SameSite=Strict{safe}"


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _cookie(headers: Headers, name: str) -> str:
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(name, "")
