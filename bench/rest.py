"""What an open page costs while nobody does anything, and how soon a job's progress is seen.

Counts the requests of the page, and the time of the processor that the browser, the server and
the worker take. Knows nothing about what the page shows besides a run's epochs.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from bench.screenshots import go_to
from workbench.store import Library
from workbench.store.database import connect_to_read
from workbench.store.store import DATABASE_NAME

__all__ = ["Rest", "at_rest", "lateness"]

SETTLE = 12.0  # seconds until what was begun by opening the page is over

# Notes when each epoch is first seen in a run's card.
_SEEN_SCRIPT = """
run => {
  window.seenEpochs = [];
  const look = () => {
    if (document.querySelector('#run-card h2')?.innerText !== `Run ${run}`) return;
    const figures = [...document.querySelectorAll('#run-card .figures > div')];
    const epoch = figures.find(figure => /epoch/i.test(figure.innerText));
    const found = epoch?.innerText.match(/\\d+/);
    const last = seenEpochs.at(-1);
    if (found && (!last || last[0] !== +found[0])) seenEpochs.push([+found[0], Date.now() / 1000]);
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true});
}
"""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was counted while the page was left alone.

    Args:
        requests: how many the page made.
        shares: of one core, that ``browser``, ``server`` and ``worker`` took.
    """

    requests: int
    shares: dict[str, float]


def at_rest(page: Page, seconds: float = 30.0) -> Rest:
    """Leaves an open page alone.

    Args:
        page: the page, opened before.
        seconds: how long to count.

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


def lateness(page: Page, sessions: str) -> list[float]:
    """Starts an edit and watches it.

    Args:
        page: the page, opened before.
        sessions: the folder of the sessions, of which the one opened last is shown.

    Returns:
        For each epoch but the last, the seconds from its being written until it, or a later one,
        is seen in the run's card.
    """
    store = Library(Path(sessions)).latest()
    run = max((run.id for run in store.runs.all()), default=0) + 1
    go_to(page, "Edit")
    page.evaluate(_SEEN_SCRIPT, run)
    page.locator("#start").click()
    expect(page.locator("#run-card h2").first).to_have_text(f"Run {run}")
    expect(page.locator("#now")).to_contain_text("Nothing is running")
    seen: list[tuple[int, float]] = page.evaluate("seenEpochs")
    late = []
    for epoch, written in _written(store.folder, run):
        shown = [moment for number, moment in seen if number >= epoch]
        if shown:
            late.append(min(shown) - written)
    return late


def _written(folder: Path, run: int) -> list[tuple[int, float]]:
    """When each epoch of a run was written."""
    query = (
        "SELECT event ->> 'epoch' AS epoch, time FROM events"
        " WHERE run = ? AND event ->> 'event' = 'EpochDone'"
    )
    with closing(connect_to_read(folder / DATABASE_NAME)) as connection:
        return [(row["epoch"], row["time"]) for row in connection.execute(query, (run,))]
