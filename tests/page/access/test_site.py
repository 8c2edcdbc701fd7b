"""Where the page is: what was said at the start, what a proxy says, what a browser asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Scope

from workbench.errors import SettingsError
from workbench.page.access.site import (
    NO_ROOT,
    RootPath,
    Site,
    host_name,
    is_loopback,
    names_asked,
    scope_at,
    site_of,
)

PREFIXES = st.lists(st.text("abcXYZ019_-.~", min_size=1, max_size=8), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


def asked(path: str = "/", **headers: str) -> Scope:
    """A request as the server gets it; a header's underscores stand for dashes."""
    given = {"host": "localhost:7860", **headers}
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
    }


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", RootPath()),
        ("/", RootPath()),
        ("/wb", RootPath(prefix="/wb")),
        ("wb/", RootPath(prefix="/wb")),
        ("/user/ada/proxy/7860/", RootPath(prefix="/user/ada/proxy/7860")),
        ("https://lab.example", RootPath("https", "lab.example")),
        ("https://lab.example:8443/wb/", RootPath("https", "lab.example:8443", "/wb")),
        ("http://[::1]:80/wb", RootPath("http", "[::1]:80", "/wb")),
    ],
)
def test_a_root_path_is_a_path_or_a_whole_address(text: str, root: RootPath) -> None:
    assert RootPath.read(text) == root


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "/a//b", "ftp://lab.example/", "https://", "/wb?x=1", "/w b", "/wb#x",
     "https://lab.example:99999/", "https://ada@lab.example/", '/"><script>', "/größe"],
)  # fmt: skip
def test_what_is_neither_is_told_with_examples(text: str) -> None:
    with pytest.raises(SettingsError, match="such as /wb, or the whole address"):
        RootPath.read(text)


def test_without_a_proxy_the_page_is_where_it_was_asked_for() -> None:
    assert site_of(asked(), NO_ROOT) == Site("http", "localhost:7860", "")


def test_a_proxys_word_counts_where_nothing_was_said() -> None:
    scope = asked(
        x_forwarded_host="lab.example, inner", x_forwarded_proto="https", x_forwarded_prefix="/wb/"
    )
    assert site_of(scope, NO_ROOT) == Site("https", "lab.example", "/wb")
    assert site_of(scope, RootPath(prefix="/a")) == Site("https", "lab.example", "/a")
    assert site_of(scope, RootPath("http", "b.example")) == Site("http", "b.example", "/wb")


@pytest.mark.parametrize("prefix", ["//evil.example", "evil", "/a\r\nSet-Cookie: x", "/<b>", "/ä"])
def test_a_prefix_that_is_no_path_is_no_prefix(prefix: str) -> None:
    assert site_of(asked(x_forwarded_prefix=prefix), NO_ROOT).prefix == ""


@given(PREFIXES, st.sampled_from(["", "/", "/changes", "/facts/x.csv", "/gradio_api/file=/a b"]))
def test_a_proxy_may_take_the_prefix_off_or_leave_it(prefix: str, path: str) -> None:
    scope = asked(x_forwarded_prefix=prefix)
    site = site_of(scope, NO_ROOT)
    off = scope_at({**scope, "path": path or "/", "raw_path": (path or "/").encode()}, site)
    left = scope_at({**scope, "path": prefix + path, "raw_path": (prefix + path).encode()}, site)
    assert off == left
    assert off["root_path"] == prefix and off["path"] == prefix + (path or "/")
    assert off["raw_path"] == off["path"].encode()


def test_links_are_built_from_the_pages_own_address() -> None:
    scope = asked(x_forwarded_host="lab.example", x_forwarded_proto="https", cookie="a=b")
    inner = scope_at(scope, site_of(scope, NO_ROOT))
    assert inner["scheme"] == "https"
    assert Headers(scope=inner).items() == [("host", "lab.example"), ("cookie", "a=b")]


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://localhost:7860", True),
        ("https://LOCALHOST:7860", True),
        ("http://localhost:7861", False),
        ("http://localhost", False),
        ("http://localhost:7860.evil.example", False),
        ("http://localhost:7860@evil.example", False),
        ("http://127.0.0.1:7860", False),
        ("https://evil.example", False),
        ("chrome-extension://localhost:7860", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_the_same_host_and_port_are_the_own_origin(origin: str, own: bool) -> None:
    assert Site("http", "localhost:7860", "").is_origin(origin) is own


def test_the_webs_own_ports_may_be_left_out() -> None:
    site = Site("http", "lab.example", "")
    assert site.is_origin("https://lab.example") and site.is_origin("http://lab.example:80")
    assert not site.is_origin("https://lab.example:8443")


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("localhost:7860", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("[::1]:7860", "::1"),
        ("[::1]", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("a b", ""),
        ("evil.example/localhost", ""),
        ("localhost:", ""),
        ("localhost:99999", ""),
        ("", ""),
    ],
)
def test_a_name_is_what_stands_before_the_port(authority: str, name: str) -> None:
    assert host_name(authority) == name


def test_every_name_that_a_request_asks_for_is_looked_at() -> None:
    scope = asked(host="evil.example", x_forwarded_host="localhost")
    site = site_of(scope, RootPath("http", "localhost:8080"))
    assert names_asked(Headers(scope=scope), site) == {"evil.example", "localhost"}


def test_which_addresses_are_this_machine_alone() -> None:
    assert is_loopback(["localhost", "127.0.0.1", "127.8.0.1", "::1"])
    for other in ("0.0.0.0", "10.0.0.1", "lab.example", "127.0.0.1.evil.example", "::"):
        assert not is_loopback([other])
