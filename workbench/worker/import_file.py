"""Reading an uploaded file into a session, in a process of its own beside web process and worker.

Reading a hundred thousand facts takes seconds of one core and memory that a process does not give
back. The worker is no place for it, because an import would wait for an edit that runs for hours;
a thread of the web process is none either, because it would fight with every request for Python's
lock, and its memory would stay. A process of its own can also be ended at any moment: the facts
are written in one transaction, so that the session has all of them or none.

Started as ``python -m workbench.worker.import_file SESSIONS_DIR SESSION JOB`` by `Importer`; ends
when its standard input closes. Knows nothing about the page or models.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import ReadingStopped, WorkbenchError
from workbench.facts import guess_columns, read_facts
from workbench.facts.source import MAX_BYTES
from workbench.store.imports import LARGEST
from workbench.store.jobs import JobState
from workbench.store.requests import ImportRequest
from workbench.store.storage import storage_error
from workbench.store.store import Store
from workbench.store.uploads import uploaded_file
from workbench.worker.patience import when_possible
from workbench.worker.task import Cancelled, Task

__all__ = ["import_file", "main"]

_READ, _PREPARED = 0.7, 0.95  # shares of the job that are done after each step


def main(arguments: list[str]) -> int:
    """Does the job that the arguments name; returns an exit code."""
    if len(arguments) != 3:
        print("usage: python -m workbench.worker.import_file DIR SESSION JOB", file=sys.stderr)
        return 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    root, session, number = Path(arguments[0]), arguments[1], int(arguments[2])
    store = Store(root / session)
    if not when_possible(lambda: store.jobs.claim(number, f"import-{os.getpid()}")):
        return 0
    state, error = _outcome(Task(store, store.jobs.get(number)), root)
    # A job that was done has been ended together with its facts.
    when_possible(lambda: store.jobs.finish(number, state, error=error))
    return 0


def _outcome(task: Task, root: Path) -> tuple[JobState, str]:
    """Does the job; how it ended, with what to tell people."""
    try:
        import_file(task, root)
    except (Cancelled, ReadingStopped):
        return "cancelled", ""
    except Exception as error:
        words = error if isinstance(error, WorkbenchError) else storage_error(error, root)
        if words is None:
            traceback.print_exc()
            sentence = f"Something went wrong inside the workbench ({type(error).__name__})."
            return "failed", f"{sentence} Nothing of the file was kept."
        return "failed", str(words)
    return "done", ""


def import_file(task: Task, root: Path) -> None:
    """Reads the file of an import job and keeps its facts, and ends the job with them.

    What is asked for is an `ImportRequest`. A file whose columns are not known waits for somebody
    to choose them, see `UploadTable`.

    Args:
        task: the job.
        root: the folder of sessions, in which the file must lie.

    Raises:
        Cancelled: the person asked for the end; nothing of the file is kept.
        ReadingStopped: likewise.
        WorkbenchError: the file cannot be read.
    """
    asked, imports = task.request(ImportRequest), task.store.imports
    path = uploaded_file(asked.path, root)
    task.report("Looking at the file", 0.0, now=True)
    largest = int(task.store.settings.get(LARGEST, MAX_BYTES / 1e6) * 1e6)
    columns: Mapping[str, str] | None = asked.columns
    if columns is None:
        guess = guess_columns(path, encoding=asked.encoding, max_bytes=largest)
        columns = task.store.uploads.remembered(guess)
        if asked.ask or (columns is None and not guess.complete and guess.columns):
            task.store.uploads.add(asked.name, str(path), guess, asked.replaces)
            task.store.jobs.finish(task.job.id, "done", {"waits": True})
            return
    found = read_facts(
        path,
        columns,
        encoding=asked.encoding,
        on_progress=lambda rows, share: task.report(f"{rows:,} rows read", _READ * share),
        should_stop=lambda: task.stop.asked,
        max_bytes=largest,
    )

    def prepared(facts: int) -> None:
        task.check()
        share = facts / max(1, len(found))
        line = f"{facts:,} of {len(found):,} facts checked"
        if facts == len(found):
            line = f"Writing {facts:,} facts"
        task.report(line, _READ + share * (_PREPARED - _READ), now=facts == len(found))

    def finish(number: int) -> None:
        if not task.store.jobs.finish(task.job.id, "done", {"import": number}):
            raise Cancelled

    imports.keep(
        found,
        asked.name,
        path=str(path),
        columns=columns,
        replaces=asked.replaces,
        on_prepared=prepared,
        finish=finish,
    )


def _end_with_parent() -> None:
    """Ends this process, whatever it is doing, once the web process is gone."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
