"""What is said about asking the model for old answers: while it goes on, and how it went."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail
from workbench.page.kit.page import PROGRESS, Page
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.work.templates import render
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


def _draw_note(store: Store) -> Markup:
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


def asked_note(job: Job | None, said: dict[str, int] | None) -> Markup:
    """One line about asking the model.

    Args:
        job: the job that asks or waits to; None when there is none.
        said: how the last one went: facts, asked, filled, silent, same; None when seen.
    """
    if job is None and said is None:
        return Markup()
    parts = _parts(said) if said is not None else []
    same = bool(said and said["same"])
    return render("page/facts/asked.html", job=job, parts=parts, same=same)


def _parts(said: dict[str, int]) -> list[str]:
    """How it went, part by part."""
    parts = [f"{count(said['filled'], 'old answer')} filled"]
    if said["asked"] < said["facts"]:
        parts.append(f"ended after {said['asked']:,} of {said['facts']:,}")
    if said["silent"]:
        parts.append(f"{said['silent']:,} got no answer")
    if said["same"]:
        parts.append(
            f"{count(said['same'], 'fact')} already said so: a run would change nothing there"
        )
    return parts
