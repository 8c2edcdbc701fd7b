"""The guard at the door: what it lets in, and with which headers answers leave.

Three questions, each of which alone would not do. The name that was asked for, because another
site can let its own name lead to this machine. The page that asks, because pages at other ports
of this machine count as ours to a browser that hands out cookies. The key, because not everything
that can reach the server is a browser. Whoever has shown the token need not be asked for a name.
Knows nothing about what is served.
"""

import gzip
import logging
import re
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.page.access.body import drain
from workbench.page.access.headers import PLAIN_POLICY, page_policy, protect
from workbench.page.access.keys import Keys
from workbench.page.access.site import RootPath, Site, names_asked, scope_at, site_of
from workbench.page.kit.static import script
from workbench.work.templates import render, trusted

__all__ = ["Guard", "Refused"]

_READING = ("GET", "HEAD", "OPTIONS")
_LONGEST_NAME = 255  # bytes; no file and no session has a longer one
_LONGEST_PATH = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Asked for at the top of the host, wherever the page is, and without the cookie.
_MANIFEST = re.compile(rb'<link rel="manifest"[^>]*>')
_HEAD_ENDS = re.compile(rb"(?=</head>)")

log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not let in.

    Args:
        status: of the answer.
        sentence: why, and what to do.
        asks: whether the token would help.
    """

    def __init__(self, status: int, sentence: str, asks: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.asks = status, sentence, asks


class Guard:
    """Stands before everything else that the server does.

    Args:
        app: what is guarded.
        root: what was said of the page's address.
        names: under which this machine may be asked for, where no token is demanded.
        keys: what a request must show.
        scripts: the scripts that the page puts into itself.
        opens_page: whether there is a page at the top of the address.
        refuse: makes the answer to what is not let in; None for a sentence.
    """

    def __init__(
        self,
        app: ASGIApp,
        root: RootPath,
        names: Collection[str],
        keys: Keys,
        scripts: Collection[str] = (),
        opens_page: bool = True,
        refuse: Callable[[Refused, Scope], Response] | None = None,
    ) -> None:
        self._app, self._root, self._keys = app, root, keys
        self._names = frozenset(names)
        self._scripts = tuple(scripts)
        self._opens_page, self._refuse = opens_page, refuse or _refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # the page has none
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        site = site_of(scope, self._root)
        inner = scope_at(scope, site)
        is_page = self._opens_page and inner["path"] == f"{inner['root_path']}/"
        try:
            self._check(inner, Headers(scope=scope), site, is_page)
        except Refused as refused:
            await drain(receive)
            await self._refuse(refused, scope)(scope, receive, _Protected(send))
        else:
            if is_page and scope["method"] == "GET":
                await self._send_page(inner, receive, send, site)
            else:
                await self._app(inner, receive, _Protected(send))

    def _check(self, scope: Scope, headers: Headers, site: Site, is_page: bool) -> None:
        """Raises `Refused` for what must not come in."""
        _check_path(scope["path"])
        self._check_names(names_asked(headers, site))
        _check_origin(scope["method"], headers, site, is_page)
        reading = scope["method"] in _READING
        if reading and not self._keys.demanded:
            return
        if not self._keys.fit(headers, scope["query_string"] if reading else b""):
            raise Refused(
                403,
                "The token is missing or is not the one of this workbench. Open the address "
                "that the terminal showed when the workbench was started; it ends with "
                "?token= and the token."
                if self._keys.demanded
                else "This page does not have the key of this workbench. Load the page again.",
                asks=self._keys.demanded,
            )

    def _check_names(self, asked: set[str]) -> None:
        if not asked or "" in asked:
            raise Refused(400, "The request does not say which address it asks for.")
        unknown = [] if self._keys.demanded else sorted(asked - self._names)
        if unknown:
            raise Refused(
                400,
                f"This workbench does not answer to the name '{unknown[0]}'. If a proxy of yours "
                "shows it under that name, start it with --root-path and the whole address, such "
                "as https://lab.example/wb; it then asks for a token.",
            )

    async def _send_page(self, scope: Scope, receive: Receive, send: Send, site: Site) -> None:
        """The page with the words for an address that is not right, its policy and its cookie."""
        headers = MutableHeaders(scope=scope)
        packs = "gzip" in headers.get("accept-encoding", "")
        del headers["accept-encoding"]
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await finish()

        async def finish() -> None:
            body = b"".join(parts)
            sent = MutableHeaders(raw=start["headers"])
            if start["status"] == 200:
                scripts = [trusted(script(name)) for name in ("arrival.js", "turns.js")]
                arrival = render("page/arrival.html", scripts=scripts)
                body = _MANIFEST.sub(b"", body, count=1)
                body = _HEAD_ENDS.sub(lambda _: arrival.encode(), body, count=1)
                sent["Content-Security-Policy"] = page_policy(body, *self._scripts)
                sent.append("Set-Cookie", self._keys.cookie(site))
                sent["Cache-Control"] = "no-cache"
            if packs:
                body = gzip.compress(body, 4)
                sent["Content-Encoding"] = "gzip"
                sent.add_vary_header("Accept-Encoding")
            sent["Content-Length"] = str(len(body))
            protected = _Protected(send)
            await protected(start)
            await protected({"type": "http.response.body", "body": body})

        await self._app(scope, receive, collect)


class _Protected:
    """Sends an answer with the headers that all have."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            protect(MutableHeaders(scope=message))
        await self._send(message)


def _check_path(path: str) -> None:
    """No file, session or route has such a name, and not every system says so politely."""
    encoded = path.encode("utf-8", "surrogatepass")
    longest = max(len(part) for part in encoded.split(b"/"))
    odd = _CONTROL.search(path) or any("\ud800" <= letter <= "\udfff" for letter in path)
    if odd or longest > _LONGEST_NAME or len(encoded) > _LONGEST_PATH:
        raise Refused(404, "There is nothing at this address.")


def _check_origin(method: str, headers: Headers, site: Site, is_page: bool) -> None:
    """A page of another origin may be a link to ours, and nothing else.

    Other ports of one machine are other origins, and the same site; cookies do not tell them apart.
    """
    origin, fetch = headers.get("origin"), headers.get("sec-fetch-site", "")
    # A page without referrers sends "null" with some of its own requests, and so do pages that
    # are nobody's. Only a browser can say which it was.
    own = fetch == "same-origin" if origin == "null" else origin is None or site.is_origin(origin)
    elsewhere = fetch not in ("", "none", "same-origin")
    is_link = (
        is_page
        and method in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    if not own or (elsewhere and not is_link):
        source = origin if origin not in (None, "null") else "another page"
        raise Refused(
            403,
            f"This request comes from {source}, and the workbench, at {site.authority}, takes "
            "requests from its own page only. If this is its own page behind a proxy, start it "
            "with --root-path and the whole address of the page.",
        )


def _refusal(refused: Refused, scope: Scope) -> Response:
    """A plain page for a person who follows a link; the same in JSON for a script."""
    log.info("%s %s: %s", scope["method"], scope["path"], refused.sentence)
    if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        return HTMLResponse(
            render("page/refused.html", sentence=refused.sentence, asks=refused.asks),
            refused.status,
            {"Content-Security-Policy": PLAIN_POLICY},
        )
    told = {"error": refused.sentence, "detail": refused.sentence}
    return JSONResponse(told, refused.status)
