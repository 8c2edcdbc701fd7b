"""Proxies of the environment: what desktops write works, and none stands before this machine."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.work.proxies import settle_proxies

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("socks://127.0.0.1:1080/", "socks5://127.0.0.1:1080/"),
        ("SOCKS://user:word@host:1080", "socks5://user:word@host:1080"),
        ("socks5://host:1080", "socks5://host:1080"),
        ("socks5h://host:1080", "socks5h://host:1080"),
        ("http://host:3128", "http://host:3128"),
        ("host:3128", "host:3128"),
    ],
)
def test_a_proxy_is_named_as_the_libraries_name_it(written: str, meant: str) -> None:
    environment = {"ALL_PROXY": written}
    settle_proxies(environment)
    assert environment["ALL_PROXY"] == meant


@pytest.mark.parametrize("written", ["socks4://host:1080", "ftp://host", "http://[::1"])
def test_a_proxy_that_nothing_understands_is_left_out_with_a_word(
    written: str, caplog: pytest.LogCaptureFixture
) -> None:
    environment = {"https_proxy": written}
    settle_proxies(environment)
    assert "https_proxy" not in environment
    assert "https_proxy" in caplog.text and "socks5://" in caplog.text


def test_no_proxy_stands_between_the_workbench_and_this_machine() -> None:
    environment = {"HTTP_PROXY": "http://host:3128", "NO_PROXY": "lab.example, localhost"}
    settle_proxies(environment)
    assert environment["NO_PROXY"] == "lab.example,localhost,127.0.0.1,::1"
    assert environment["no_proxy"] == environment["NO_PROXY"]


def test_an_environment_without_proxies_stays_as_it_is() -> None:
    # With a variable of its own, the system's settings would no longer be looked at.
    environment = {"HOME": "/home/ada", "http_proxy": ""}
    settle_proxies(environment)
    assert environment == {"HOME": "/home/ada", "http_proxy": ""}


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_whatever_a_variable_holds_a_client_can_be_made(written: str) -> None:
    environment = {"ALL_PROXY": written}
    settle_proxies(environment)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("all_proxy", "http_proxy", "https_proxy", "no_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        httpx.Client().close()


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9/", "socks4://x:1"])
def test_the_page_can_be_imported_behind_any_proxy(proxy: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import workbench.page.server"],
        env={**os.environ, "ALL_PROXY": proxy, "all_proxy": proxy},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
