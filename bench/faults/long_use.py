"""A thousand questions and two hundred runs in one session: what the processes hold."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.faults.web import Web, ended
from workbench.store import Library

__all__ = ["Held", "long_use"]

EDIT = {"settings": {"epochs": 2, "at": ["7.mlp.down_proj"]}}


@dataclass(frozen=True, slots=True)
class Held:
    """What a process held.

    Args:
        name: ``worker`` or ``server``.
        when: what had been done by then.
        megabytes: resident memory.
        files: open files and pipes.
    """

    name: str
    when: str
    megabytes: float
    files: int


def long_use(root: Path, probes: int, runs: int) -> list[Held]:
    """Asks and edits, and looks after a tenth of each and at the end."""
    store = Library(root).create("long", samples=True)
    store.facts.enable([row.id for row in store.facts.page(2, 100)], False)
    web = Web(root)
    web.start()
    found = []
    try:
        for part in range(1, 11):
            for number in range(probes // 10):
                probe = store.ask(f"The capital of country {number} is")
                row = store.probes.get(probe)
                assert row is not None and row.job is not None
                ended(store, row.job)
            if part in (1, 10):
                found += _held(web, f"{part * probes // 10} questions")
        for part in range(1, 11):
            for _ in range(runs // 10):
                done = ended(store, store.jobs.submit("edit", EDIT))
                assert done.state == "done", done.error
            if part in (1, 10):
                found += _held(web, f"and {part * runs // 10} runs")
    finally:
        web.stop()
    return found


def _held(web: Web, when: str) -> list[Held]:
    found = []
    for name, pid in (("worker", web.worker), ("server", web.pid)):
        process = psutil.Process(pid)
        held = process.memory_info().rss / 1e6
        found.append(Held(name, when, held, process.num_fds()))
    return found
