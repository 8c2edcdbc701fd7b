"""Two processes that share runs, as torchrun would start them, for `tests/methods/test_ranks.py`.

All that is needed is imported once, then they are forked: a pair that edits one model after the
other, and a pair that edits the first model until the second process kills itself. Prints how each
of the four ended.

    python -m tests.ranked FILE FOLDER MODEL...

Args:
    FILE: of facts.
    FOLDER: where the pairs leave patches, as ``whole`` and ``lost``, and beside what they print.
    MODEL: a folder of one.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.cli import main
from workbench.methods.locft_bf import LocftRun
from workbench.work.events import Event

SETTINGS = ("--epochs", "3", "--batch-size", "3", "--lr", "0.001", "--device", "cpu", "--json")
LAST = 5  # batches of the process that kills itself; an epoch has three


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def die_after(batches: int) -> None:
    """Makes this process kill itself in a run's batch."""
    plain = LocftRun._batch

    def batch(self: LocftRun) -> Iterator[Event]:
        if self.progress.batches == batches:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(self)

    LocftRun._batch = batch  # type: ignore[method-assign]


def work(number: int, port: int, file: str, models: list[str], out: Path, last: int) -> None:
    """What one of the processes does; never returns."""
    os.environ |= {"RANK": str(number), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    for stream in (1, 2):
        descriptor = os.open(f"{out}.{number}.{stream}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(descriptor, stream)
    if number and last:
        die_after(last)
    code: object = 0
    for turn, model in enumerate(models):
        os.environ["MASTER_PORT"] = str(port + turn)
        folder = out / Path(model).name
        try:
            main(["edit", file, "--model", model, "--out", str(folder), *SETTINGS])
        except SystemExit as end:
            code = end.code or code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(str(code)))


def start(file: str, models: list[str], out: Path, last: int = 0) -> list[int]:
    """Starts a pair and waits for it; returns how each ended, below 0 by a signal."""
    port = free_port()
    pids = []
    for number in range(2):
        pid = os.fork()
        if not pid:
            work(number, port, file, models, out, last)
        pids.append(pid)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


if __name__ == "__main__":
    file, folder, *models = sys.argv[1:]
    whole = start(file, models, Path(folder) / "whole")
    lost = start(file, models[:1], Path(folder) / "lost", LAST)
    print(json.dumps([whole, lost]))
