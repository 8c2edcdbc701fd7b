"""What an open page costs while nobody does anything, and how soon a job's progress is seen.

Counts the requests of the page, and the time of the processor that the browser, the server and
the worker take. Knows nothing about what the page shows besides a run's epochs.
"""

import time

import psutil
from playwright.sync_api import Page

__all__ = ["Rest", "at_rest"]

SETTLE = 12.0  # seconds until what was begun by opening the page is over
LOOK_EVERY = 0.02  # seconds between two looks into the session for the run's newest epoch

# Notes when each epoch is first seen in the run's card; read by `lateness`.
_SEEN_SCRIPT = """
() => {
  window.seenEpochs = [];
  const look = () => {
    const found = document.querySelector('#run-card')?.innerText.match(/epoch\\s+(\\d+)/i);
    const last = seenEpochs.at(-1);
    if (found && (!last || last[0] !== +found[1])) seenEpochs.push([+found[1], Date.now() / 1000]);
    requestAnimationFrame(look);
  };
  look();
}
"""


class Rest:
    """What was counted while the page was left alone."""

    def __init__(self, requests: int, shares: dict[str, float]) -> None:
        self.requests = requests
        self.shares = shares


def at_rest(page: Page, seconds: float = 30.0) -> Rest:
    """Leaves an open page alone.

    Args:
        page: the page, opened before.
        seconds: how long to count.

    Returns:
        The requests that were made, and the share of one core that each of ``browser``,
        ``server`` and ``worker`` took.
    """
    page.wait_for_timeout(1000 * SETTLE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before, began = _spent(), time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    after, passed = _spent(), time.monotonic() - began
    return Rest(len(asked), {part: (after[part] - before[part]) / passed for part in after})


def _spent() -> dict[str, float]:
    """Seconds of a processor that the browser, the server and the worker took until now."""
    found = dict.fromkeys(("browser", "server", "worker"), 0.0)
    for process in psutil.Process().children(recursive=True):
        part = _part(process)
        if part is not None:
            times = process.cpu_times()
            found[part] += times.user + times.system
    return found


def _part(process: psutil.Process) -> str | None:
    if "chrom" in process.name().lower():
        return "browser"
    command = " ".join(process.cmdline())
    if "workbench.worker.process" in command:
        return "worker"
    return "server" if "app.py" in command else None
