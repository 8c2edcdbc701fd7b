"""The card that keeps the run shown as after: its patch, or a full model."""

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.ship.export_settings import ExportSettings
from workbench.store import Store
from workbench.store.requests import ExportRequest
from workbench.work.templates import render

__all__ = ["add_keeping"]


def add_keeping(page: Page) -> None:
    """Builds the card."""
    with gr.Column(elem_classes="card keep"):
        keep = live_html(name="keep")
    page.show(_draw_keep, keep, of=("runs", "settings", "jobs"))
    page.action(keep.act, _export)


def _draw_keep(store: Store) -> Markup:
    shown = store.settings.shown_run
    if shown is None:
        return render("page/runs/keep.html", run=None)
    patch = store.runs.patch_folder(shown)
    file = patch / "patch.safetensors"
    return render(
        "page/runs/keep.html",
        run=store.runs.get(shown),
        session=store.id,
        bytes=file.stat().st_size if file.exists() else None,
        said=_export_words(store, shown),
        line=command_line(
            "export",
            ExportSettings(),
            model=store.settings.model,
            patch=str(patch),
            more=("--out", "edited-model"),
        ),
    )


def _export_words(store: Store, run: int) -> str:
    """How the writing of the run's full model goes or went; empty when nobody asked for it."""
    job = store.jobs.latest("export")
    if job is None or not isinstance(job.request, ExportRequest) or job.request.run != run:
        return ""
    if job.state == "done":
        checked = job.result.get("checked")  # in sessions of earlier versions nothing was
        said = f"; loaded again, it gave all {checked} answers alike" if checked else ""
        return f"Written to {job.request.folder}{said}"
    return job.error if job.state == "failed" else job.state


def _export(store: Store, event: gr.EventData) -> None:
    run = int(detail(event)["run"])
    folder = store.runs.folder(run) / "model"
    store.jobs.ask_for(ExportRequest(run, str(folder)))
