"""The card that keeps the run shown as after: its patch, or a full model."""

import gradio as gr

from workbench.page.kit.html import button, command, detail, heading, live_html, text
from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.store.runs import Run
from workbench.work.words import count

__all__ = ["add_keeping"]


def add_keeping(page: Page) -> None:
    """Builds the card."""
    with gr.Column(elem_classes="card keep"):
        keep = live_html(name="keep")
    page.show(_draw_keep, keep, of=("runs", "settings", "jobs"))
    page.action(keep.act, _export)


def _draw_keep(store: Store) -> str:
    shown = store.settings.shown_run
    if shown is None:
        return heading("Keep the result", "Choose a run to show as after, then keep it here.")
    run = store.runs.get(shown)
    patch = store.runs.patch_folder(shown)
    file = patch / "patch.safetensors"
    kept = f"{file.stat().st_size / 1e6:.1f} MB" if file.exists() else "missing"
    link = (
        f'<a class="btn" href="patches/{store.id}/{run.id}" download>Download the patch '
        f"({kept})</a>"
    )
    folder = store.runs.folder(shown) / "model"
    exported = store.jobs.latest("export")
    line = ""
    if exported is not None and exported.params.get("run") == run.id:
        words = {"done": f"Written to {folder}", "failed": exported.error}
        line = f'<p class="quiet">{text(words.get(exported.state, exported.state))}</p>'
    full = button("Write the full model", "export", run=run.id)
    line_same = command(f"workbench export --patch {patch} --out edited-model")
    return (
        f'<div class="stack"><div>{heading(f"Keep run {run.id}", _keep_sentence(run))}</div>'
        f'<div class="pair">{link}{full}</div>{line}{line_same}</div>'
    )


def _keep_sentence(run: Run) -> str:
    return (
        f"The patch holds the new weights for {count(run.facts, 'fact')} and fits only "
        f"{run.model}; the full model is a folder that plain transformers loads."
    )


def _export(store: Store, event: gr.EventData) -> None:
    run = int(detail(event)["run"])
    folder = store.runs.folder(run) / "model"
    store.jobs.submit("export", {"run": run, "folder": str(folder)})
