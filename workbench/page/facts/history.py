"""How imports look that go on, that failed, and that are over. Pure functions from data to HTML."""

import time
from collections.abc import Sequence

from workbench.page.kit.html import button, text
from workbench.store.imports import Import
from workbench.store.jobs import Job
from workbench.work.words import count

__all__ = ["import_history", "import_jobs"]

SHOWN = 10


def import_jobs(jobs: Sequence[Job], troubled: Sequence[Job]) -> str:
    """The imports that wait or go on, each with its Cancel, and those that failed.

    Args:
        jobs: those that are open.
        troubled: those that failed and that nobody has dismissed.
    """
    return "".join(map(_open, jobs)) + "".join(map(_troubled, troubled))


def _open(job: Job) -> str:
    name = text(job.params["name"])
    line, width = "waits for its turn", "0"
    if job.state == "running":
        line = "stopping" if job.cancel_asked else job.line
        width = f"{100 * (job.progress or 0):.1f}%"
    return (
        f'<div class="notice" role="status"><div class="foot flat"><span>{name}: {text(line)}'
        f"</span>{button('Cancel', 'cancel', 'small', job=job.id)}</div>"
        f'<div class="bar"><i style="width:{width}"></i></div></div>'
    )


def _troubled(job: Job) -> str:
    return (
        f'<div class="notice wrong pair" role="alert"><span><b>{text(job.params["name"])}</b> '
        f"was not imported. {text(job.error)}</span>"
        f"{button('Dismiss', 'seen', 'small', job=job.id)}</div>"
    )


def import_history(imports: Sequence[Import]) -> str:
    """The imports of a session, the newest first, each to look at and to undo."""
    if not imports:
        return ""
    rows = "".join(map(_row, imports[:SHOWN]))
    more = ""
    if len(imports) > SHOWN:
        more = f'<p class="quiet">and {count(len(imports) - SHOWN, "earlier import")}</p>'
    return f'<div class="label">Imports</div><div class="imports">{rows}</div>{more}'


def _row(brought: Import) -> str:
    when = time.strftime("%d %b %H:%M", time.localtime(brought.created))
    what = f"{brought.added:,} added"
    undo = button("Undo", "undo", "small bare", id=brought.id)
    if brought.undone is not None:
        what, undo = "undone", ""
    return (
        f'<div class="pair"><span class="name" title="{text(brought.name)}">{text(brought.name)}'
        f'<br><span class="quiet">{when} · {what}</span></span>'
        f"{button('Report', 'report', 'small', id=brought.id)}{undo}</div>"
    )
