"""The settings of the next sweep, in words and in numbers, and the command that does the same."""

from dataclasses import astuple, replace

import gradio as gr
from markupsafe import Markup

from workbench.actions import command_line
from workbench.page.kit.action_form import add_action_form
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import Page
from workbench.search.budget import parse_budget, write_budget
from workbench.search.sweep_settings import TRAINED, SweepSettings
from workbench.search.weights import PRESET_WEIGHTS, ScoreWeights, parse_weights
from workbench.store import Store
from workbench.work.templates import render
from workbench.work.words import count

__all__ = ["add_sweep_fields", "sweep_settings", "sweep_weights"]

MINUTES = (1, 5, 10, 30)
NO_BUDGET = "as long as it takes"


def add_sweep_fields(page: Page) -> None:
    """Builds the fields inside the current column."""
    wishes = live_html(name="sweep-wishes")
    with gr.Accordion("Settings of the sweep", open=False, elem_classes="plain"):
        # How facts are trained is chosen on the Edit tab, for the run that follows.
        add_action_form(
            page, "sweep", automatic=_resolved, leave_out=TRAINED, of=("settings", "facts")
        )
        same = live_html(name="sweep-command")
    page.show(_draw_wishes, wishes, of=("settings",))
    page.show(_draw_command, same, of=("settings",))
    page.action(wishes.act, _wish)


def sweep_settings(store: Store) -> SweepSettings:
    """The settings of the next sweep, whose trials train as the session's next run does."""
    found: SweepSettings = store.settings.of("sweep")
    edit = store.settings.edit
    return replace(found, **{name: getattr(edit, name) for name in TRAINED})


def sweep_weights(store: Store) -> ScoreWeights:
    """How the measures are weighed now."""
    return sweep_settings(store).score_weights


def _resolved(store: Store) -> SweepSettings | None:
    """The settings with what is automatic filled in; None while the model is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = store.facts.count(enabled=True)
    resolved = sweep_settings(store).resolved(facts, summary.preset, summary.where)
    return replace(resolved, layers=())  # "all" says more than their numbers


def _draw_wishes(store: Store) -> Markup:
    settings = sweep_settings(store)
    budget = "" if settings.budget is None else write_budget(settings.budget)
    budgets = {"": NO_BUDGET, **{write_budget(60.0 * m): _about(m) for m in MINUTES}}
    budgets.setdefault(budget, f"{budget} s")
    mine = astuple(settings.score_weights)
    chosen = [words for words, weights in PRESET_WEIGHTS.items() if astuple(weights) == mine]
    return render(
        "page/layers/sweep_wishes.html",
        budgets=budgets.items(),
        budget=budget,
        weights=[(words, words) for words in PRESET_WEIGHTS],
        chosen=chosen[0] if chosen else "",
    )


def _about(minutes: int) -> str:
    return f"about {count(minutes, 'minute')}"


def _wish(store: Store, event: gr.EventData) -> None:
    """Takes a choice in words as the setting that it stands for."""
    asked = detail(event)
    if asked["do"] == "budget":
        budget = parse_budget(asked["budget"]) if asked["budget"] else None
        store.settings.change("sweep", lambda kept: replace(kept, budget=budget))
    elif asked["do"] == "weights":
        weights = parse_weights(asked["weights"])
        store.settings.change("sweep", lambda kept: replace(kept, weights=weights))


def _draw_command(store: Store) -> Markup:
    line = command_line("sweep", sweep_settings(store), model=store.settings.model)
    return render("page/command.html", line=line, session=store.id)
