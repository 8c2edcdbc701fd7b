"""Keys: the cookie of the page, the token of people, and the secret that both outlive a restart."""

import stat
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from workbench.page.access.keys import KEY_NAME, Keys, kept_secret, new_token
from workbench.page.access.site import Site

SITE = Site("http", "localhost:7860", "")
SECRET = b"s" * 32


def cookie_of(keys: Keys, site: Site = SITE) -> Headers:
    """What a browser sends back."""
    return Headers({"cookie": f"other=1; {keys.cookie(site).partition(';')[0]}; more=2"})


def test_the_cookie_that_the_page_got_fits_and_no_other_does() -> None:
    keys = Keys(SECRET)
    assert keys.fit(cookie_of(keys))
    assert not keys.fit(Headers({}))
    assert not keys.fit(cookie_of(Keys(b"t" * 32)))
    name = keys.cookie(SITE).partition("=")[0]
    assert not keys.fit(Headers({"cookie": f"{name}=guess"}))
    assert not keys.fit(Headers({"cookie": f"{name}="}))


def test_no_script_and_no_other_site_gets_the_cookie() -> None:
    flags = Keys(SECRET).cookie(SITE).split("; ")[1:]
    assert flags == ["Path=/", "HttpOnly", "SameSite=Strict"]
    behind = Keys(SECRET).cookie(Site("https", "lab.example", "/wb")).split("; ")[1:]
    assert behind == ["Path=/wb/", "HttpOnly", "SameSite=Strict", "Secure"]


def test_two_workbenches_of_one_browser_have_cookies_of_their_own() -> None:
    one, other = Keys(SECRET), Keys(b"t" * 32)
    both = Headers(
        {"cookie": "; ".join(keys.cookie(SITE).partition(";")[0] for keys in (one, other))}
    )
    assert one.fit(both) and other.fit(both)


def test_another_token_makes_old_cookies_worthless() -> None:
    assert not Keys(SECRET, "new").fit(cookie_of(Keys(SECRET, "old")))
    assert not Keys(SECRET, "new").fit(cookie_of(Keys(SECRET)))
    assert Keys(SECRET, "new").fit(cookie_of(Keys(SECRET, "new")))


@pytest.mark.parametrize(
    "token", ["secret", "a+b&c=d/é%20", new_token()], ids=["word", "signs", "made"]
)
def test_a_token_fits_in_the_address_and_in_a_header(token: str) -> None:
    keys = Keys(SECRET, token)
    assert keys.demanded
    assert keys.fit(Headers({}), keys.query.removeprefix("?").encode())
    assert not keys.fit(Headers({}), b"token=wrong")
    assert keys.fit(Headers(raw=[(b"authorization", f"Bearer {token}".encode("latin-1"))]))
    assert keys.fit(Headers(raw=[(b"authorization", f"token {token}".encode("latin-1"))]))
    assert not keys.fit(Headers({"authorization": "Bearer wrong"}))
    assert not keys.fit(Headers({"authorization": f"Basic {token}"} if token.isascii() else {}))


def test_without_a_token_an_empty_one_opens_nothing() -> None:
    keys = Keys(SECRET)
    assert not keys.demanded and keys.query == ""
    assert not keys.fit(Headers({"authorization": "Bearer "}), b"token=")


def test_the_secret_is_kept_for_this_person_alone(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path, may_write=True)
    assert kept_secret(tmp_path, may_write=True) == secret
    assert kept_secret(tmp_path, may_write=False) == secret
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"zz" * 32, b"\xff\xfe", b"00" * 16])
def test_a_secret_that_is_none_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_NAME).write_bytes(content)
    secret = kept_secret(tmp_path, may_write=True)
    assert len(secret) == 32 and kept_secret(tmp_path, may_write=False) == secret


def test_where_nothing_may_be_written_the_secret_lasts_as_long_as_the_server(
    tmp_path: Path,
) -> None:
    assert kept_secret(tmp_path, may_write=False) != kept_secret(tmp_path, may_write=False)
    assert list(tmp_path.iterdir()) == []
