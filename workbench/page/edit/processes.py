"""Over how many processes the next run is shared; a choice where there are several GPUs."""

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.store.settings import MOST_PROCESSES
from workbench.store.status import WorkerStatus
from workbench.work.templates import render

__all__ = ["add_processes", "draw_processes", "processes_of", "shared_command"]


def add_processes(page: Page) -> None:
    """Builds the choice inside the current column; it is there where there is one to make."""
    choice = live_html(name="processes")

    def draw(store: Store) -> Markup:
        status = WorkerStatus.read(page.library.root)
        if not store.settings.method.shares:
            return Markup()
        return draw_processes(status, store.settings.processes)

    page.show(draw, choice, of=("settings", "jobs", PROGRESS))
    page.action(choice.act, _choose)


def draw_processes(status: WorkerStatus | None, chosen: int) -> Markup:
    """The choice; nothing where a run can only be made by one process.

    Args:
        status: what the worker says of the machine.
        chosen: over how many processes runs are shared now.
    """
    most = min(MOST_PROCESSES, status.devices if status is not None else 1)
    if max(most, chosen) < 2:
        return Markup()
    on_gpus = status is not None and status.device.startswith("cuda")
    counts = [str(count) for count in range(1, max(most, chosen) + 1)]
    return render(
        "page/edit/processes.html",
        label="GPUs" if on_gpus else "Processes",
        pairs=list(zip(counts, counts, strict=True)),
        chosen=str(chosen),
    )


def processes_of(store: Store) -> int:
    """Over how many processes the session's next run is shared."""
    return store.settings.processes if store.settings.method.shares else 1


def shared_command(line: str, processes: int) -> str:
    """A command as several processes run it.

    Args:
        line: as one process runs it.
        processes: how many.
    """
    return f"torchrun --nproc-per-node {processes} -m {line}" if processes > 1 else line


def _choose(store: Store, event: gr.EventData) -> None:
    store.settings.share_over(int(detail(event)["value"]))
