"""The Runs tab: every run, one unfolded or several compared; choose what is before and after.

Which run is unfolded, which are found, in which order and in which groups is held by components of
the tab's own, everything else by the session.
"""

from typing import Any

import gradio as gr

from workbench.methods.events import EpochDone
from workbench.page.edit.effect import effects
from workbench.page.kit.html import detail, heading, live_html, still_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.plot_bridge import add_plot_bridge
from workbench.page.runs.actions import PICKED, act_on_runs
from workbench.page.runs.compare import MOST_FACTS, Comparison, comparison_card
from workbench.page.runs.details import MOST_MISSED, RunDetails
from workbench.page.runs.groups import UNGROUPED, Grouping
from workbench.page.runs.hues import hue_of, hues_of
from workbench.page.runs.keep import add_keeping
from workbench.page.runs.order import NEWEST_FIRST, Order, found_runs, ordered_runs, run_name
from workbench.page.runs.overlay import Laid, overlay_card
from workbench.page.runs.scatter_card import add_scatter_card
from workbench.page.runs.table import RunsView, runs_table
from workbench.page.runs.values import RunLine
from workbench.store import Store
from workbench.store.patch_header import read_patch_header
from workbench.store.runs import Run

__all__ = ["add_runs_tab"]


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
                "Strict protocol, with the generated one below it in grey, then other forms and "
                "first tokens that stayed, strict too. One run at a time is shown as after.",
            )
        )
        words = gr.Textbox(
            label="Filter runs",
            show_label=False,
            placeholder="Filter by name, place, method, setting",
            container=False,
            elem_id="runs-filter",
            elem_classes="single",
        )
        opened = gr.Textbox("", visible="hidden", container=False)
        order = gr.Textbox(str(NEWEST_FIRST), visible="hidden", container=False)
        grouping = gr.Textbox(str(UNGROUPED), visible="hidden", container=False)
        table = live_html(name="runs-table")
    comparison = live_html(name="comparison")
    add_scatter_card(page, words, add_plot_bridge(page, name="runs-bridge"))
    add_keeping(page)
    looking = [opened, order, grouping, words]
    page.show(_draw_runs, table, of=("runs", "settings", "jobs", PROGRESS), inputs=looking)
    page.show(_draw_comparison, comparison, of=("runs", "settings"))
    held = [opened, order, grouping]
    page.action(table.act, _act_on_runs, inputs=held, outputs=[tabs, *held])
    page.action(comparison.act, _close_comparison)


def _draw_runs(store: Store, opened: str, order: str, grouping: str, words: str) -> str:
    every, names, sorting = store.runs.all(), store.settings.run_names, Order.parse(order)
    found = found_runs(every, words or "", names)
    lines = {run.id: _line(store, run) for run in found}
    runs = ordered_runs(found, sorting, {run: line.losses for run, line in lines.items()})
    unfolded = next((run for run in runs if str(run.id) == opened), None)
    return runs_table(
        RunsView(
            lines=[lines[run.id] for run in runs],
            after=store.settings.shown_run,
            before=store.settings.before_run,
            picked=[run.id for run in _picked(store, every)],
            opened=None if unfolded is None else _details(store, unfolded),
            hidden=_hidden(store),
            names=names,
            order=sorting,
            total=len(every),
            session=store.id,
            grouping=Grouping.parse(grouping),
            pinned=store.settings.pinned_runs,
            hues=hues_of(lines, store.settings.run_colours),
        )
    )


def _line(store: Store, run: Run) -> RunLine:
    ended_early = run.state in ("failed", "interrupted")
    error = store.jobs.get(run.job).error if ended_early else ""
    return RunLine(run, store.runs.losses(run), error)


def _details(store: Store, run: Run) -> RunDetails:
    return RunDetails(
        run=run,
        losses=store.runs.losses(run),
        learned=store.runs.learned(run.id),
        missed=store.runs.outcomes(run.id, 0, MOST_MISSED, missed=True),
        patch=read_patch_header(store.runs.patch_folder(run.id)),
        is_after=run.id == store.settings.shown_run,
        is_before=run.id == store.settings.before_run,
        epochs=store.runs.events(run.id, EpochDone),
        effects=effects(store, run),
    )


def _hidden(store: Store) -> tuple[Run, int] | None:
    run = store.runs.hidden()
    if run is None:
        return None
    files = store.runs.folder(run.id).rglob("*")
    return run, sum(file.stat().st_size for file in files if file.is_file())


def _picked(store: Store, runs: list[Run]) -> list[Run]:
    """The runs ticked for comparing that are still there."""
    picked = store.settings.get(PICKED, [])
    return [run for run in runs if run.id in picked]


def _draw_comparison(store: Store) -> str:
    chosen = sorted(_picked(store, store.runs.all()), key=lambda run: run.id)
    if len(chosen) > 2:
        return overlay_card([_laid(store, run) for run in chosen])
    if len(chosen) != 2:
        return ""
    first, second = chosen
    pair = store.runs.pair(first.id, second.id)
    return comparison_card(
        Comparison(
            first=first,
            second=second,
            first_losses=store.runs.losses(first),
            second_losses=store.runs.losses(second),
            shared=pair.shared,
            learned_by_first=pair.learned_by_first(MOST_FACTS),
            learned_by_second=pair.learned_by_second(MOST_FACTS),
            answers=pair.answered_differently(MOST_FACTS),
            first_epochs=store.runs.events(first.id, EpochDone),
            second_epochs=store.runs.events(second.id, EpochDone),
            hues=(_hue(store, first), _hue(store, second)),
        )
    )


def _laid(store: Store, run: Run) -> Laid:
    name = run_name(run, store.settings.run_names)
    epochs = store.runs.events(run.id, EpochDone)
    return Laid(run, name, store.runs.losses(run), epochs, _hue(store, run))


def _hue(store: Store, run: Run) -> int:
    return hue_of(run.id, store.settings.run_colours)


def _act_on_runs(
    store: Store, opened: str, order: str, grouping: str, event: gr.EventData
) -> tuple[Any, str, str, str]:
    asked = detail(event)
    do, run = str(asked["do"]), int(asked.get("run", 0))
    if do == "open":
        return gr.skip(), "" if str(run) == opened else str(run), order, grouping
    if do == "sort":
        return gr.skip(), opened, str(Order.parse(order).after_click(str(asked["by"]))), grouping
    if do == "group":
        return gr.skip(), opened, order, str(Grouping(str(asked["value"])))
    if do == "fold":
        folded = Grouping.parse(grouping).after_click(str(asked["group"]))
        return gr.skip(), opened, order, str(folded)
    leads_to_edit = act_on_runs(store, do, run, asked.get("value", asked.get("on")))
    return gr.Tabs(selected="edit") if leads_to_edit else gr.skip(), opened, order, grouping


def _close_comparison(store: Store) -> None:
    store.settings.set(PICKED, [])
