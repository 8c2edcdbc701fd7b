"""What the run that is shown changed besides its facts, on the Evaluate tab: the worst first."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.times import takes
from workbench.page.probe.answers import marked
from workbench.search.ripple_result import NEARNESS, Ripple
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.store.requests import RippleRequest
from workbench.work.records import from_data
from workbench.work.templates import render

__all__ = ["add_ripple_card", "ripple_table"]

WORST = 20  # prompts that are shown at first


def add_ripple_card(page: Page, tabs: gr.Tabs) -> None:
    """Builds the card inside the current column.

    Args:
        page: the page.
        tabs: the tabs, to lead on to Probe.
    """
    with gr.Column(elem_classes="card"):
        still_html(
            heading(
                "What changed besides?",
                "Prompts made of the facts' own words, and some that have nothing to do with them, "
                "asked of the base and of the run. Those that moved most stand first.",
            )
        )
        noted = gr.Textbox("", visible="hidden", container=False)
        most = gr.Textbox(str(WORST), visible="hidden", container=False)
        ripple = live_html(name="ripple")
    of = ("settings", "jobs", "runs", PROGRESS)
    page.show(_draw, ripple, of=of, inputs=[noted, most])
    page.action(ripple.act, _act, [noted, most], [noted, most, tabs])


def _job(store: Store) -> Job | None:
    jobs = store.settings.get("ripple_jobs", {})
    return store.jobs.of(jobs.get(str(store.settings.shown_run)), RippleRequest)


def _draw(store: Store, noted: str, most: str) -> Markup:
    job, run = _job(store), store.settings.shown_run
    done = job is not None and job.state == "done"
    start = render(
        "page/evaluate/ripple_start.html",
        run=run,
        job=job if job is not None and job.is_open else None,
        error=job.error if job is not None and job.state == "failed" else "",
        again=done,
        note=noted,
        time="" if run is None else takes(store, RippleRequest(run)),
    )
    if job is None or not done:
        return start
    return start + ripple_table(from_data(Ripple, job.result), int(most))


def ripple_table(ripple: Ripple, most: int = WORST) -> Markup:
    """The prompts that moved most, each with a way to Probe and to what must stay.

    Args:
        ripple: what was found.
        most: how many are shown.
    """
    rows = [
        (row, NEARNESS[row.near], marked(row.before, row.after or "(nothing)"))
        for row in ripple.rows[:most]
    ]
    counts = [(words, *ripple.changed(near)) for near, words in NEARNESS.items()]
    return render(
        "page/evaluate/ripple.html",
        rows=rows,
        run=ripple.run,
        changed=ripple.changed(),
        counts=[count for count in counts if count[2]],
        left=max(0, len(ripple.rows) - most),
    )


def _act(store: Store, noted: str, most: str, event: gr.EventData) -> tuple[str, str, Any]:
    asked = detail(event)
    run, job = store.settings.shown_run, _job(store)
    if asked["do"] == "ripple" and run is not None:
        store.ripple(run)
        return "", str(WORST), gr.skip()
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "more":
        return noted, "1000", gr.skip()
    elif job is not None and job.state == "done":
        row = from_data(Ripple, job.result).rows[int(asked["place"])]
        if asked["do"] == "ask":
            store.settings.set("probe_view", "prompts")
            store.ask(row.prompt)
            return noted, most, gr.Tabs(selected="probe")
        beside = store.keep_answer(row.prompt, row.before)
        return f"“{row.prompt}” is kept as “{row.before}”, beside “{beside}”.", most, gr.skip()
    return noted, most, gr.skip()
