"""Processes killed at random moments: what was confirmed is there, whole, and work goes on.

Each test prints its seed; set LOCFT_TEST_SEED to see the same moments again.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.worker.busy import do, steps
from workbench.facts import Fact
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.store import Library, Store
from workbench.store.database import connect_to_read
from workbench.store.library import add_samples
from workbench.worker.supervisor import Supervisor

pytestmark = pytest.mark.kill

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds; a safety net, no more
ROUNDS = 16
KILLS = 2
TIMES = re.compile(
    r"^(time|created|changed|change|until|started|ended|deleted|undone|moment|cancel_asked)$"
)
LONG = EditSettings(
    epochs=40, stop_loss=0.0, skip_loss=0.0, seed=3, batch_size=10, at=("7.mlp.down_proj",)
)


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("LOCFT_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")
    return random.Random(seed)


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the times; deleted facts are marked as such."""
    found = {}
    with closing(connect_to_read(store.folder / "session.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            rows = connection.execute(f"SELECT * FROM {name}").fetchall()
            if name == "settings":
                rows = [row for row in rows if row["name"] != "opened"]
            keys = rows[0].keys() if rows else []
            found[name] = [
                tuple(bool(row[key]) if TIMES.match(key) else row[key] for key in keys)
                for row in rows
            ]
    return found


def test_whatever_was_confirmed_outlives_a_kill(tmp_path: Path, chance: random.Random) -> None:
    library = Library(tmp_path / "sessions")
    rounds = [(library.create("busy"), chance.randrange(1_000_000)) for _ in range(ROUNDS)]
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.worker.busy", str(library.root), store.id, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for store, seed in rounds
    ]
    confirmed = []
    for child in children:
        assert child.stdin is not None and child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        time.sleep(chance.uniform(0.0, 0.3))
        child.kill()
        whole = [line for line in child.stdout.read().splitlines(keepends=True) if "\n" in line]
        child.wait()
        child.stdin.close()
        child.stdout.close()
        confirmed.append(int(whole[-1]) if whole else 0)
    assert max(confirmed) > 20
    for (store, seed), done in zip(rounds, confirmed, strict=True):
        expected = Library(tmp_path / "expected").create("busy")
        for step in steps(seed)[:done]:
            do(expected, *step)
        without_the_next = contents(expected)
        do(expected, *steps(seed)[done])
        # What was going on may be there, and then entirely; nothing else may be missing or new.
        assert within_a_step(contents(store), without_the_next, contents(expected), seed, done)


def within_a_step(
    found: dict[str, list[tuple[object, ...]]],
    before: dict[str, list[tuple[object, ...]]],
    after: dict[str, list[tuple[object, ...]]],
    seed: int,
    done: int,
) -> bool:
    """Whether a state is the one before a step, after it, or between its few transactions."""
    if found in (before, after):
        return True
    between = steps(seed)[done][0] == "run"
    return between and found["facts"] == before["facts"] and found["probes"] == before["probes"]


def start_server(root: Path) -> tuple[subprocess.Popen[str], str]:
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--sessions", str(root), "--no-browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    said = server.stdout.readline()
    found = re.search(r"http://\S+", said)
    assert found is not None, said + server.stdout.read()
    return server, found.group()


def test_a_killed_server_loses_nothing_and_its_run_can_be_resumed(
    tmp_path: Path, chance: random.Random
) -> None:
    root = tmp_path / "sessions"
    store = Library(root).create("busy", samples=True)
    server, _ = start_server(root)
    job = store.jobs.submit("edit", {"settings": {**LONG.as_dict(), "epochs": 100_000}})
    wait_until(lambda: store.runs.newest() and store.runs.events(1, events.EpochDone))
    waiting = store.ask("The capital of France is")
    end = time.monotonic() + chance.uniform(0.1, 1.0)
    added = 0
    while time.monotonic() < end:
        added += len(store.facts.add([Fact(f"Prompt {added} is", "answer")], "busy").ids)
    (root / ".20260101-00000000.part").mkdir()
    server.kill()
    server.wait()
    assert server.stdout is not None
    server.stdout.close()
    server, _ = start_server(root)
    try:
        assert store.facts.count() == 20 + added
        assert store.jobs.get(job).state == "interrupted"
        assert store.runs.get(1).can_resume
        assert not list(root.glob(".*.part"))
        # The question that waited is answered, and the run goes on where it was.
        wait_until(lambda: (found := store.probes.get(waiting)) and found.before)
        again = store.resume(1)
        wait_until(lambda: len(store.runs.events(1, events.Started)) == 2)
        store.jobs.cancel(again)
        wait_until(lambda: not store.jobs.get(again).is_open)
    finally:
        server.terminate()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def trains_on(store: Store, job: int) -> bool:
    """Waits until a job has trained another epoch of run 2; False when it has ended."""
    newest = store.runs.newest()
    before = len(store.runs.events(2, events.EpochDone)) if newest and newest.id == 2 else 0
    wait_until(
        lambda: (
            len(store.runs.events(2, events.EpochDone)) > before or not store.jobs.get(job).is_open
        )
    )
    return store.jobs.get(job).is_open and store.runs.get(2).state == "running"


def test_a_run_whose_worker_was_killed_again_and_again_ends_with_the_same_bits(
    tmp_path: Path, chance: random.Random
) -> None:
    library = Library(tmp_path)
    store = library.create("test")
    add_samples(store)
    supervisor = Supervisor(library)
    supervisor.start()
    try:
        unbroken = store.jobs.submit("edit", {"settings": LONG.as_dict()})
        wait_until(lambda: not store.jobs.get(unbroken).is_open)
        job = store.jobs.submit("edit", {"settings": LONG.as_dict()})
        killed = 0
        while killed < KILLS and trains_on(store, job):
            time.sleep(chance.uniform(0.0, 0.25))
            assert supervisor.pid is not None
            os.kill(supervisor.pid, signal.SIGKILL)
            killed += 1
            wait_until(lambda j=job: not store.jobs.get(j).is_open)  # type: ignore[misc]
            if store.runs.get(2).can_resume:
                job = store.resume(2)
        wait_until(lambda: not store.jobs.get(job).is_open)
        assert killed >= 1
        assert [store.runs.get(run).state for run in (1, 2)] == ["done", "done"]
        one, two = (load_file(store.runs.patch_folder(n) / "patch.safetensors") for n in (1, 2))
        assert one.keys() == two.keys()
        assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    finally:
        supervisor.stop()
