"""No value becomes markup, whatever it should have been: each in turn is a tag, for every view."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.page.poison import drawn, times_shown_as_text
from tests.page.shown_values import (
    ABOUT,
    AT,
    CAPABILITY,
    EPOCHS,
    ESTIMATE,
    FAILED,
    HEALTH,
    INSIDE,
    JOB,
    KEPT,
    METRICS,
    MISSED,
    OTHER,
    PAIRED,
    PART,
    PLACES,
    PLAN,
    PRESET,
    PROBE,
    QUESTION,
    REPORT,
    RIVALS,
    RUN,
    SCAN,
    SETTINGS,
    STAYS,
    STRESS,
    STRESS_REPORT,
    STUDY,
    SWEEP,
    SWEPT,
    TALK,
    TURN,
)
from workbench.measure.protocols import Measured
from workbench.measure.report import as_html
from workbench.measure.report import pieces as report_pieces
from workbench.measure.report.curve import loss_picture
from workbench.measure.report.stress import stress_html, stress_table
from workbench.measure.report.study import study_html, study_table
from workbench.methods.base import LOCFT_BF
from workbench.methods.estimate_record import RunEstimate
from workbench.page.edit.pinned import pinned_table
from workbench.page.edit.plan import plan_card
from workbench.page.edit.run_card import RunView, metric_table, outcome_table, run_card
from workbench.page.evaluate.results import failures_card, further_cards, measures_card
from workbench.page.evaluate.ripple_card import ripple_table
from workbench.page.layers.heat import heat_map
from workbench.page.layers.known import measured_places
from workbench.page.layers.location_card import location_card
from workbench.page.layers.trials import recommendation_card, trials_table
from workbench.page.probe.answers import answer_card, marked
from workbench.page.probe.inside_html import inside_card, tokens_card
from workbench.page.probe.outcomes import outcomes_card
from workbench.page.probe.talking import talk_setup, transcript
from workbench.page.runs.charts import spark
from workbench.page.runs.compare import Comparison, comparison_card
from workbench.page.runs.details import RunDetails, details
from workbench.page.runs.keep import Offer
from workbench.page.runs.measures import measures_of_two
from workbench.page.runs.overlay import Laid, overlay_card
from workbench.page.runs.scatter_card import Axes, scatter_bar
from workbench.page.runs.table import RunsView, runs_table
from workbench.page.runs.values import RunLine, values_of
from workbench.search.recommend import recommend
from workbench.search.ripple_result import Moved, Ripple
from workbench.search.score import score_rows
from workbench.store.evaluations import KeptQuestion
from workbench.store.patch_header import PatchHeader
from workbench.store.probes import PinnedAnswer
from workbench.work.templates import render

VIEWS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "run_card": (
        run_card,
        [RunView(FAILED, RUN, 1, "", EPOCHS, PLAN, [MISSED], (1, 9), [MISSED])],
    ),
    "run_card, working": (run_card, [RunView(JOB, OTHER, 2, "", EPOCHS, PLAN)]),
    "run_card, waiting": (run_card, [RunView(JOB, None, 2)]),
    "run_card, failed": (run_card, [RunView(error="out of memory")]),
    "outcome_table": (outcome_table, [[MISSED]]),
    "metric_table": (metric_table, [METRICS]),
    "pinned_table": (pinned_table, [[PinnedAnswer(1, "It is", n, f"say {n}") for n in range(9)]]),
    "plan_card": (plan_card, [20, LOCFT_BF, SETTINGS, ESTIMATE]),
    "plan_card, wrong": (
        plan_card,
        [20, LOCFT_BF, SETTINGS, RunEstimate("", error="no such layer")],
    ),
    "same command": (drawn("command"), [{"line": "x", "session": "s"}]),
    "marked": (marked, ["It is Oslo", "It is Rome"]),
    "answer_card": (answer_card, [(PROBE,), (1, 2), "Asking"]),
    "answer_card of a fact": (answer_card, [(ABOUT,), (1, 2), "Asking"]),
    "outcomes_card": (outcomes_card, [RUN, [MISSED], (1, 9), False, 25, 90, 25]),
    "sides": (
        drawn("probe/sides"),
        [
            {
                "sides": [("before", "1")],
                "runs": [("1", "run 1")],
                "wait": 3.0,
                "tokens": 32,
                "pinned": 1,
            }
        ],
    ),
    "spark": (spark, [[3.0, 1.0]]),
    "comparison_card": (
        comparison_card,
        [Comparison(RUN, OTHER, [3.0, 1.0], [2.0], 3, PAIRED, PAIRED, PAIRED, EPOCHS, EPOCHS)],
    ),
    "measures_of_two": (measures_of_two, [Laid(RUN, "run 1"), Laid(OTHER, "run 2 · mine")]),
    "scatter_bar": (
        scatter_bar,
        [
            [("run 1 · mine", 2, values_of(RunLine(RUN, [3.0, 1.0])))],
            Axes("set.forms", "after.reliability_strict"),
        ],
    ),
    "details": (
        details,
        [
            RunDetails(
                RUN,
                [3.0, 1.0],
                (1, 9),
                [MISSED],
                PatchHeader(2_000_000, {"model.a": "2 × 3 F32"}, {"torch": "2.13"}, "today"),
            )
        ],
    ),
    "runs_table": (
        runs_table,
        [
            RunsView(
                [RunLine(RUN, [3.0, 1.0], "out of memory"), RunLine(OTHER)],
                1,
                1,
                [1],
                RunDetails(RUN),
                (OTHER, 5_000),
            )
        ],
    ),
    "keep": (
        drawn("runs/keep"),
        [
            {
                "run": RUN,
                "session": "s",
                "bytes": 5_000,
                "offers": [Offer("adapter", "vLLM", "adapter", "at most 2 MB")],
                "said": ["Written"],
                "run_lines": ["serve it"],
                "line": "x",
            }
        ],
    ),
    "overlay_card": (
        overlay_card,
        [[Laid(RUN, "run 1", [3.0, 1.0], EPOCHS), Laid(OTHER, "run 2 · mine")]],
    ),
    "heat_map": (
        heat_map,
        [PLACES, AT, AT, measured_places(SCAN, score_rows(SWEPT), [RUN]), "run"],
    ),
    "location_card": (location_card, [AT, False, PRESET, [RUN, OTHER], ESTIMATE]),
    "location_card, own": (location_card, [("5.mlp",), True, PRESET, [], None]),
    "recommendation_card": (recommendation_card, [recommend(SWEPT), ("5.mlp",)]),
    "trials_table": (trials_table, [score_rows(SWEPT), ("5.mlp",), ("6.mlp",)]),
    "scan bar": (
        drawn("layers/scan_bar"),
        [
            {
                "going": False,
                "result": SCAN,
                "columns": [("a", "b")],
                "column": "a",
                "session": "s",
                "time": "about 40 s",
            }
        ],
    ),
    "sweep bar": (
        drawn("layers/sweep_bar"),
        [
            {
                "job": None,
                "sweep": SWEEP,
                "measures": [("a", "b")],
                "measure": "a",
                "session": "s",
                "time": "about 5 minutes",
            }
        ],
    ),
    "sweep choice": (
        drawn("layers/sweep_choice"),
        [{"sweeps": [("1", "a")], "shown": "1", "others": [("2", "b")], "overlaid": "2"}],
    ),
    "note": (drawn("layers/note"), [{"sentence": "Framed"}]),
    "talk_setup": (talk_setup, [TALK, [RUN], True, True]),
    "ripple_table": (
        ripple_table,
        [Ripple(1, (Moved("The capital of Peru is", "relation", 2.0, "Lima", "Cusco"),) * 2), 1],
    ),
    "inside_card": (inside_card, [INSIDE]),
    "tokens_card": (tokens_card, [INSIDE.texts, ["The capital of Peru is"], "2 texts"]),
    "transcript": (transcript, [TALK, [TURN], "waiting"]),
    "measures_card": (lambda kept: measures_card(kept, render("page/job.html")), [KEPT]),
    "further_cards": (further_cards, [KEPT]),
    "failures_card": (
        failures_card,
        [
            [KeptQuestion(1, QUESTION), KeptQuestion(2, STAYS)],
            {"failed": 2, "all": 9},
            "failed",
            "Oslo",
            25,
            90,
            25,
            True,
        ],
    ),
    "failures_card, none": (failures_card, [[], {"all": 9}, "all", "Oslo", 0, 0, 25, True]),
    "links": (drawn("evaluate/links"), [{"address": "reports/s/1"}]),
    "start": (
        drawn("evaluate/evaluation"),
        [
            {
                "job": None,
                "label": "Evaluate",
                "error": "wrong",
                "note": "missing",
                "line": "x",
                "time": "about 40 s",
            }
        ],
    ),
    "study": (
        drawn("evaluate/study"),
        [
            {
                "kinds": [("scale", "Scale")],
                "kind": "scale",
                "what": "Many facts.",
                "job": None,
                "label": "Go on",
                "error": "wrong",
                "note": "missing",
                "line": "x",
                "asked": "The same.",
                "found": "",
                "time": "about an hour",
            }
        ],
    ),
    "stress": (
        drawn("evaluate/stress"),
        [
            {
                "job": None,
                "label": "Stress run 1",
                "error": "wrong",
                "line": "x",
                "report": "stresses/s/1",
                "table": "",
                "sentences": ["All 2 facts."],
                "time": "about 40 s",
            }
        ],
    ),
    "stress_table": (stress_table, [STRESS.table]),
    "stress_html": (stress_html, [STRESS_REPORT]),
    "strip": (report_pieces.strip, [Measured("reliability", "strict", 0.5, 0.25, 0.75, 9), "x"]),
    "measure_tables": (report_pieces.measure_tables, [PART]),
    "group_tables": (report_pieces.group_tables, [PART["groups"], "strict"]),
    "failure_table": (report_pieces.failure_table, [PART["failures"]]),
    "health_table": (report_pieces.health_table, [HEALTH]),
    "capability_table": (report_pieces.capability_table, [CAPABILITY]),
    "study_table": (study_table, [STUDY]),
    "study_html": (study_html, [RIVALS]),
    "loss_picture": (loss_picture, [[3.0, 0.5], 0.01]),
    "as_html": (as_html, [REPORT]),
}
ONLY_NUMBERS = ("spark", "loss_picture", "metric_table", "measure_tables", "stress_table")


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_that_a_view_is_given_becomes_markup(name: str) -> None:
    assert times_shown_as_text(*VIEWS[name]) or name in ONLY_NUMBERS
