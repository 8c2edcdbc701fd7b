"""The processes that share a session's run, started as torchrun starts them.

    python -m workbench.worker.group PROCESSES COMMAND...

COMMAND is what follows ``workbench`` on a command line. Invariant: they end when their standard
input closes, which the operating system does when the worker is gone; what they have done is kept
then, as after SIGTERM. Knows nothing about sessions.
"""

import os
import signal
import sys
import threading

__all__ = ["main"]


def _end_with_parent() -> None:
    """Asks this process to end once whoever started it is gone."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Starts the processes and waits for them, as the command torchrun does."""
    from torch.distributed import run

    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    processes, *command = arguments
    how = ["--standalone", "--nproc-per-node", processes]
    run.main([*how, "-m", "workbench", *command])


if __name__ == "__main__":
    main(sys.argv[1:])
