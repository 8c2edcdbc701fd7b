"""The Runs tab: every run with its settings and metrics; choose the one shown as "after"."""

import time

import gradio as gr

from workbench.session import Store
from workbench.session.runs import Run
from workbench.ui.edit_html import STATE_KINDS
from workbench.ui.html import button, command, detail, heading, live_html, pill, still_html, text
from workbench.ui.page import Page
from workbench.ui.words import clock, count, share, small

__all__ = ["add_runs_tab"]

MEASURES = ("reliability", "generalization", "locality")


def add_runs_tab(page: Page, tabs: gr.Tabs) -> None:
    """Builds the tab's inside.

    Args:
        page: the page.
        tabs: the tabs, to lead on to another one.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "What did each run do?",
                "Strict protocol, with the generated one below it in grey. One run at a time is "
                "shown as after.",
            )
        )
        table = live_html(name="runs-table")
    with gr.Column(elem_classes="card keep"):
        keep = live_html(name="keep")
    page.show(_draw_runs, table, of=("runs", "settings"))
    page.show(_draw_keep, keep, of=("runs", "settings", "jobs"))
    page.action(table.act, _act_on_run, outputs=tabs)
    page.action(keep.act, _export)


def _draw_runs(store: Store) -> str:
    runs = store.runs.all()
    if not runs:
        return (
            '<div class="empty">No run yet. Start one on the Edit tab.'
            f"<br>{button('Go to Edit', 'edit', 'primary')}</div>"
        )
    shown = store.settings.shown_run
    head = "".join(f'<th class="num">{measure}</th>' for measure in MEASURES)
    body = "".join(_row(run, run.id == shown) for run in runs)
    return (
        '<div class="scroll"><table class="grid-table"><tr><th>run</th><th>where</th>'
        f'<th class="num">facts</th>{head}<th class="num wide">epochs</th>'
        f'<th class="num wide">loss</th><th class="num wide">time</th><th></th></tr>{body}</table>'
        "</div>"
    )


def _row(run: Run, shown: bool) -> str:
    after = run.metrics.get("after") or {}
    cells = "".join(
        f'<td class="num">{share(after.get(f"{measure}_strict"))}<br>'
        f'<span class="quiet mono">{share(after.get(f"{measure}_generated"))}</span></td>'
        for measure in MEASURES
    )
    losses = run.outcome.get("losses") or []
    seconds = run.outcome.get("seconds")
    when = time.strftime("%d %b %H:%M", time.localtime(run.created))
    settings = run.settings
    how = (
        f"lr {small(settings.learning_rate or 0)}, batch {settings.batch_size}, "
        f"{settings.pipeline}, seed {settings.seed}"
    )
    return (
        f'<tr class="{"chosen" if shown else ""}"><td><b>{run.name}</b> '
        f"{pill('after', 'on') if shown else pill(run.state, STATE_KINDS[run.state])}"
        f'<br><span class="quiet">{text(when)}</span></td>'
        f'<td><span class="mono">{text(", ".join(settings.at))}</span>'
        f'<br><span class="quiet">{text(how)}</span></td><td class="num">{run.facts:,}</td>{cells}'
        f'<td class="num wide">{run.outcome.get("epochs", "–")}</td>'
        f'<td class="num wide">{small(losses[-1]) if losses else "–"}</td>'
        f'<td class="num wide">{"–" if seconds is None else clock(seconds)}</td>'
        f"<td>{_buttons(run, shown)}</td></tr>"
    )


def _buttons(run: Run, shown: bool) -> str:
    parts = []
    if run.state == "done" and not shown:
        parts.append(button("Show as after", "show", "small", run=run.id))
    if run.state == "done" and not run.metrics:
        parts.append(button("Evaluate", "evaluate", "small", run=run.id))
    if run.can_resume:
        parts.append(button("Resume", "resume", "small", run=run.id))
    if run.state != "running":
        ask = f"Delete run {run.id} and its patch?"
        parts.append(button("Delete", "delete", "small bare", run=run.id, confirm=ask))
    return f'<div class="pair">{"".join(parts)}</div>'


def _act_on_run(store: Store, event: gr.EventData) -> object:
    asked = detail(event)
    if asked["do"] == "edit":
        return gr.Tabs(selected="edit")
    run = int(asked["run"])
    if asked["do"] == "show":
        store.settings.set("shown_run", run)
    elif asked["do"] == "evaluate":
        store.jobs.submit("evaluate", {"run": run})
    elif asked["do"] == "resume":
        store.resume(run)
        return gr.Tabs(selected="edit")
    elif asked["do"] == "delete":
        store.delete_run(run)
    return gr.skip()


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
