"""The card "Take it with you": the run shown as after, as a patch or where people run it.

What was written is told as the worker found it, with the lines that run it there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.errors import SettingsError
from workbench.model.real import REAL
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.ship.export_settings import ExportForm, ExportSettings
from workbench.store import Store
from workbench.store.requests import ExportRequest
from workbench.work.templates import render
from workbench.work.words import size

__all__ = ["add_keeping"]

# What is written, for whom, under which name beside the run's patch.
CHOICES: tuple[tuple[ExportForm, str, str, str], ...] = (
    ("gguf", "llama.cpp, Ollama", "GGUF file", "model.gguf"),
    ("full", "transformers, vLLM, SGLang", "full model", "model"),
    ("adapter", "peft, vLLM, SGLang, beside others", "LoRA adapter", "adapter"),
    ("delta", "merge tools", "task vector", "delta"),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to take a run along.

    Args:
        form: see `ExportSettings`.
        who: what it is for.
        what: what is written.
        size: about how large it becomes, in words.
    """

    form: ExportForm
    who: str
    what: str
    size: str


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
    said, run_lines = _export_words(store, shown)
    return render(
        "page/runs/keep.html",
        run=store.runs.get(shown),
        session=store.id,
        bytes=file.stat().st_size if file.exists() else None,
        offers=_offers(store, file),
        said=said,
        run_lines=run_lines,
        line=command_line(
            "export",
            ExportSettings(),
            model=store.settings.model,
            patch=str(patch),
            more=("--out", "edited-model"),
        ),
    )


def _offers(store: Store, patch: Path) -> list[Offer]:
    """The ways to take a run along, with what is known of their sizes."""
    summary = store.settings.summary
    whole = f"about {size(summary.memory_bytes)}" if summary is not None else ""
    small = f"at most {size(patch.stat().st_size)}" if patch.exists() else ""
    sizes = {"gguf": "as the original", "full": whole, "adapter": small, "delta": small}
    name = store.settings.model.name
    in_gguf = name == REAL or name.lower().endswith(".gguf")
    return [
        Offer(form, who, what, sizes[form])
        for form, who, what, _ in CHOICES
        if form != "gguf" or in_gguf
    ]


def _export_words(store: Store, run: int) -> tuple[list[str], list[str]]:
    """How the last writing of the run goes or went, and the lines that run what was written."""
    job = store.jobs.latest("export")
    if job is None or not isinstance(job.request, ExportRequest) or job.request.run != run:
        return [], []
    if job.state == "done":
        if "lines" in job.result:
            return [str(line) for line in job.result["lines"]], list(job.result.get("run", []))
        checked = job.result.get("checked")  # in sessions of earlier versions nothing was
        said = f"; loaded again, it gave all {checked} answers alike" if checked else ""
        return [f"Written to {job.request.folder}{said}"], []
    return [job.error if job.state == "failed" else job.state], []


def _export(store: Store, event: gr.EventData) -> None:
    told = detail(event)
    run, form = int(told["run"]), told.get("form", "full")
    if form not in get_args(ExportForm):
        raise SettingsError("There is no such form of export.")
    (name,) = (name for one, _, _, name in CHOICES if one == form)
    out = store.runs.folder(run) / name
    store.jobs.ask_for(ExportRequest(run, str(out), ExportSettings(form=form)))
