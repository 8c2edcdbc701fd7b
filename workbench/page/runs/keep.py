"""The card "Take it with you": the run shown as after, as a patch or where people run it.

What was written is told as the worker found it, with the lines that run it there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, takewhile
from pathlib import Path
from typing import get_args

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.errors import SettingsError
from workbench.model.real import REAL
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.page.kit.times import takes
from workbench.ship.export_settings import ExportForm, ExportSettings
from workbench.store import Store
from workbench.store.jobs import Job
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

_OUT: dict[ExportForm, str] = {
    "full": "edited-model",
    "gguf": "edited.gguf",
    "adapter": "adapter",
    "delta": "delta",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to take a run along.

    Args:
        form: see `ExportSettings`.
        who: what it is for.
        what: what is written.
        size: about how large it becomes, in words.
        time: what writing and asking it takes, in words; empty where that is not known.
        there: the name of what was written before and would be replaced; empty for nothing.
    """

    form: ExportForm
    who: str
    what: str
    size: str
    time: str = ""
    there: str = ""


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
    job = _last_export(store, shown)
    said, run_lines = _export_words(job) if job is not None else ([], [])
    return render(
        "page/runs/keep.html",
        run=store.runs.get(shown),
        session=store.id,
        bytes=file.stat().st_size if file.exists() else None,
        offers=_offers(store, shown, file),
        said=said,
        run_lines=run_lines,
        line=_command(store, patch, job),
    )


def _command(store: Store, patch: Path, job: Job | None) -> str:
    """The command that writes what was chosen last; a full model where nothing was yet."""
    asked = job.request if job is not None else None
    settings = asked.settings if isinstance(asked, ExportRequest) else ExportSettings()
    form = settings.form or "full"
    if form == "full":
        settings = replace(settings, form=None)
    return command_line(
        "export",
        settings,
        model=store.settings.model,
        patch=str(patch),
        more=("--facts", "facts.csv", "--out", _OUT[form]),
    )


def _offers(store: Store, run: int, patch: Path) -> list[Offer]:
    """The ways to take a run along, with what is known of their sizes."""
    summary = store.settings.summary
    whole = f"about {size(summary.memory_bytes)}" if summary is not None else ""
    small = f"at most {size(patch.stat().st_size)}" if patch.exists() else ""
    sizes = {"gguf": "as the original", "full": whole, "adapter": small, "delta": small}
    name = store.settings.model.name
    in_gguf = name == REAL or name.lower().endswith(".gguf")
    return [
        Offer(
            form,
            who,
            what,
            sizes[form],
            takes(store, ExportRequest(run, "", ExportSettings(form=form))),
            _newest(store.runs.folder(run) / name),
        )
        for form, who, what, name in CHOICES
        if form != "gguf" or in_gguf
    ]


def _numbered(path: Path) -> Iterator[Path]:
    """A path, and those like it that come after it: model.gguf, model-2.gguf, …"""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _newest(path: Path) -> str:
    """The name of what was written last under a name or one like it; empty for nothing."""
    there = list(takewhile(Path.exists, _numbered(path)))
    return there[-1].name if there else ""


def _free(store: Store, path: Path) -> Path:
    """The first of a path and those like it where nothing is, nor will be."""
    asked = (job.request for job in store.jobs.open_jobs())
    taken = {one.folder for one in asked if isinstance(one, ExportRequest)}
    return next(p for p in _numbered(path) if not p.exists() and str(p) not in taken)


def _last_export(store: Store, run: int) -> Job | None:
    """The last writing of a run; None where another run, or none, was written last."""
    job = store.jobs.latest("export")
    if job is None or not isinstance(job.request, ExportRequest) or job.request.run != run:
        return None
    return job


def _export_words(job: Job) -> tuple[list[str], list[str]]:
    """How a writing goes or went, and the lines that run what was written."""
    assert isinstance(job.request, ExportRequest)
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
    first = store.runs.folder(run) / name
    replaces = told.get("replaces") == "yes" and first.exists()
    out = first.with_name(_newest(first)) if replaces else _free(store, first)
    settings = ExportSettings(form=form)
    store.jobs.ask_for(ExportRequest(run, str(out), settings, replaces=replaces))
