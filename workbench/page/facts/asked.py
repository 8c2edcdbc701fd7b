"""What is said about asking the model for old answers: while it goes on, and how it went."""

from typing import Any

import gradio as gr

from workbench.page.kit.html import button, detail, text
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.work.words import count

__all__ = ["add_asked_note", "asked_note"]


def add_asked_note(page: Page, note: gr.HTML, show: gr.Textbox) -> None:
    """Keeps the note up to date and lets its buttons work.

    Args:
        page: the page.
        note: where it stands.
        show: holds the filter of the table.
    """
    page.show(_draw_note, note, of=("jobs", "settings", PROGRESS))
    page.action(note.act, _act_on_note, outputs=show)


def _draw_note(store: Store) -> str:
    jobs = [job for job in store.jobs.open_jobs() if job.kind == "ask" and "facts" in job.params]
    return asked_note(jobs[0] if jobs else None, store.settings.get("asked_facts"))


def _act_on_note(store: Store, event: gr.EventData) -> Any:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "dismiss":
        store.settings.set("asked_facts", None)
    elif asked["do"] == "doubtful":
        return "doubtful"
    return gr.skip()


def asked_note(job: Job | None, said: dict[str, int] | None) -> str:
    """One line about asking the model.

    Args:
        job: the job that asks or waits to; None when there is none.
        said: how the last one went: facts, asked, filled, silent, same; None when seen.
    """
    if job is not None:
        return _going_on(job)
    if said is None:
        return ""
    parts = [f"{count(said['filled'], 'old answer')} filled"]
    if said["asked"] < said["facts"]:
        parts.append(f"ended after {said['asked']:,} of {said['facts']:,}")
    if said["silent"]:
        parts.append(f"{said['silent']:,} got no answer")
    more = ""
    if said["same"]:
        parts.append(
            f"{count(said['same'], 'fact')} already said so: a run would change nothing there"
        )
        more = button("Show those", "doubtful", "small")
    return (
        f'<div class="notice pair" role="status"><span>{text("; ".join(parts))}.</span>'
        f"{more}{button('Dismiss', 'dismiss', 'small bare')}</div>"
    )


def _going_on(job: Job) -> str:
    if job.state == "queued":
        line, bar = "Asking the model waits for its turn", ""
    else:
        line = "Stopping" if job.cancel_asked else job.line or "Asking the model"
        width = f"{100 * (job.progress or 0):.1f}%"
        bar = f'<div class="bar"><i style="width:{width}"></i></div>'
    return (
        f'<div class="notice" role="status"><div class="foot flat"><span>{text(line)}</span>'
        f"{button('Cancel', 'cancel', 'small', job=job.id)}</div>{bar}</div>"
    )
