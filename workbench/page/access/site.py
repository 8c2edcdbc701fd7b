"""Where the page is, as the browser sees it: directly, or through a reverse proxy under a path.

What a proxy says (`X-Forwarded-Prefix`, `-Host`, `-Proto`) is believed of requests that the guard
lets in: no other page can have a browser send these headers.
Knows nothing about who may come in.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from workbench.errors import SettingsError

__all__ = [
    "NO_ROOT",
    "RootPath",
    "Site",
    "host_name",
    "is_loopback",
    "names_asked",
    "scope_at",
    "site_of",
]

# Letters that a path holds as they are. Two slashes would name another host.
_PREFIX = re.compile(r"(?:/[\w.~@:+%-]+)*", re.ASCII)
# A name or an address, and the port.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII)
_FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix", b"x-gradio-server")
_WEB_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RootPath:
    """What the person who started the server said of the page's address.

    Args:
        scheme: ``http`` or ``https``; empty when only a path was given.
        authority: host and port; empty likewise.
        prefix: the path, such as ``/wb``; empty for none.
    """

    scheme: str = ""
    authority: str = ""
    prefix: str = ""

    @classmethod
    def read(cls, text: str) -> "RootPath":
        """From ``/wb`` or ``https://lab.example/wb``.

        Raises:
            SettingsError: it is neither.
        """
        parts = urlsplit(text.strip())
        prefix = "/" + parts.path.strip("/") if parts.path.strip("/") else ""
        whole = bool(parts.scheme or parts.netloc)
        sound = not parts.query and not parts.fragment and _PREFIX.fullmatch(prefix)
        if whole:
            sound = sound and parts.scheme in _WEB_PORTS and _read(parts.netloc)
        if not sound:
            raise SettingsError(
                f"root_path is '{text}'; write a path such as /wb, or the whole address under "
                "which the page is reached, such as https://lab.example/wb."
            )
        return cls(parts.scheme, parts.netloc, prefix)


NO_ROOT = RootPath()


@dataclass(frozen=True, slots=True)
class Site:
    """The page's address for one request.

    Args:
        scheme: ``http`` or ``https``.
        authority: host and port, as the browser writes them.
        prefix: the path under which the page is, without a slash at its end.
    """

    scheme: str
    authority: str
    prefix: str

    def is_origin(self, origin: str) -> bool:
        """Whether this is where a request says that it comes from.

        The scheme does not count: not every proxy tells it.
        """
        parts = urlsplit(origin)
        theirs, ours = _read(parts.netloc), _read(self.authority)
        if theirs is None or ours is None or parts.scheme not in _WEB_PORTS:
            return False
        port = int(theirs[2] or _WEB_PORTS[parts.scheme])
        ports = [int(ours[2])] if ours[2] else list(_WEB_PORTS.values())
        return theirs[1].lower() == ours[1].lower() and port in ports


def site_of(scope: Scope, root: RootPath) -> Site:
    """The page's address for a request.

    Args:
        scope: the request.
        root: what was said when the server was started, which counts more than a proxy's word.
    """
    headers = Headers(scope=scope)
    scheme = root.scheme or _first(headers, "x-forwarded-proto")
    host = root.authority or _first(headers, "x-forwarded-host") or headers.get("host", "")
    prefix = root.prefix or _first(headers, "x-forwarded-prefix").rstrip("/")
    return Site(
        scheme if scheme in _WEB_PORTS else str(scope.get("scheme", "http")),
        host,
        prefix if _PREFIX.fullmatch(prefix) else "",
    )


def scope_at(scope: Scope, site: Site) -> Scope:
    """The request as if it had come straight to the page's address, for what builds links from it.

    A proxy may have taken the prefix off the path or not.

    Args:
        scope: the request.
        site: the page's address.
    """
    path, raw = str(scope["path"]), bytes(scope.get("raw_path") or b"")
    prefix = unquote(site.prefix)
    if not _is_under(path, prefix):
        path, raw = prefix + path, site.prefix.encode() + raw
    if path == prefix:
        path, raw = f"{path}/", raw + b"/"
    kept = [(name, value) for name, value in scope["headers"] if name not in _FORWARDED]
    host = [(b"host", site.authority.encode("latin-1"))]
    return {
        **scope,
        "scheme": site.scheme,
        "path": path,
        "raw_path": raw,
        "root_path": prefix,
        "headers": host + [pair for pair in kept if pair[0] != b"host"],
    }


def _is_under(path: str, prefix: str) -> bool:
    """Whether a path is the prefix or lies under it."""
    return path == prefix or path.startswith(f"{prefix}/")


def names_asked(headers: Headers, site: Site) -> set[str]:
    """Every name under which a request asks for the page; an empty one where it makes no sense.

    Args:
        headers: of the request.
        site: the page's address for it.
    """
    asked = [headers.get("host", ""), _first(headers, "x-forwarded-host"), site.authority]
    return {host_name(authority) for authority in asked if authority}


def host_name(authority: str) -> str:
    """The name or address in ``name:port`` or ``[address]:port``; empty when there is none."""
    found = _read(authority)
    return found[1].strip("[]").rstrip(".").lower() if found else ""


def is_loopback(hosts: Iterable[str]) -> bool:
    """Whether all of these names and addresses are this machine's own, for itself."""
    return all(host == "localhost" or host == "::1" or _is_v4_loop(host) for host in hosts)


def _is_v4_loop(host: str) -> bool:
    return re.fullmatch(r"127(?:\.\d{1,3}){3}", host) is not None


def _read(authority: str) -> re.Match[str] | None:
    found = _AUTHORITY.fullmatch(authority)
    return found if found is not None and int(found[2] or 0) < 65_536 else None


def _first(headers: Headers, name: str) -> str:
    """What the proxy nearest to the browser said."""
    return headers.get(name, "").split(",")[0].strip()
