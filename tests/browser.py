"""The browser for the page's tests: found, or fetched where that can be done.

`python -m tests.browser` makes sure that there is one: the system's Chromium or Chrome, else
Playwright's own download, else (as root on Debian) the distribution's package. Under CI a
missing browser is an error; elsewhere the browser tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

__all__ = ["BROWSER_FLAGS", "find_browser"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# What would start beside each page and is never looked at: the popups of the address bar are pages
# of their own. This replaces Playwright's own list, so what tests need of that stands here too.
_NOT_NEEDED = (
    *("HttpsUpgrades", "LensOverlay", "MediaRouter", "OptimizationHints", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "WebUIOmniboxAimPopup", "WebUIOmniboxPopup"),
)
BROWSER_FLAGS = (
    f"--disable-features={','.join(_NOT_NEEDED)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> Path | None:
    """The system's Chromium or Chrome, else Playwright's own, else None."""
    found = [shutil.which(name) for name in NAMES] + list(PLACES)
    for place in found:
        if place and Path(place).exists():
            return Path(place)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def _fetch() -> None:
    """Tries Playwright's download, then Debian's package; says nothing when neither works."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], **quiet)  # type: ignore[call-overload]
    if find_browser() is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], **quiet)  # type: ignore[call-overload]


def main() -> int:
    """Finds or fetches a browser; 1 when there is none and this is CI."""
    if find_browser() is None:
        print("No Chromium or Chrome found; trying to fetch one.")
        _fetch()
    if find_browser() is not None:
        return 0
    print("No browser for the page's tests. Install Chromium or Chrome to run them.")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    raise SystemExit(main())
