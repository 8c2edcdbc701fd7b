"""No value becomes markup in the Facts tab, the sidebar and what all tabs share."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.page.poison import drawn, times_shown_as_text
from workbench.facts import Fact, Question
from workbench.facts.guess import ColumnGuess
from workbench.facts.many import ManyChange
from workbench.facts.problems import WHY, Problem
from workbench.methods.rephrased import Rephrased, Wording
from workbench.page.facts.asked import asked_note
from workbench.page.facts.columns import column_dialogs
from workbench.page.facts.history import import_history, import_jobs
from workbench.page.facts.many import draw_preview
from workbench.page.facts.rephrased import rephrased_card
from workbench.page.facts.report import ReportView, import_report
from workbench.page.facts.row import Past, details, fact_row
from workbench.page.facts.table import TableView, facts_table
from workbench.page.kit.charts import loss_curve
from workbench.page.kit.page import notice
from workbench.page.sidebar.sidebar import now_card
from workbench.store.fact_versions import Change, Preview, Version
from workbench.store.facts import Deletion, FactRow, Overview
from workbench.store.found import SHOWS, Found
from workbench.store.import_conflicts import Conflict, Option
from workbench.store.imports import Import, KindCount
from workbench.store.jobs import Job
from workbench.store.library import Discarded
from workbench.store.runs import FactOutcome
from workbench.store.uploads import Upload

SPLIT = ManyChange("split", "prompt", " is")
KIND = next(iter(WHY))
PROBLEM = Problem(7, "prompt", "It is wrong.", "Mend it.", "error", KIND)
KEPT = Problem(0, "", "It is odd.", "Look at it.", "warning", KIND)
QUESTIONS = (Question("Peru lies in", "Asia"), Question("Mali lies in"))
FACT = Fact("The x is", "y", "x", "z", ("What is x?",), QUESTIONS, QUESTIONS, ("Y",))
ROW = FactRow(1, FACT, True, "file.csv", True, (KEPT,))
OFF = FactRow(2, FACT, False, "", None)
OUTCOME = FactOutcome(1, "The x is", "y", True, "z", "y")
OTHER = FactOutcome(1, "The x is", "w", None, "", None)
PAST = Past([Version(FACT, 1.0)], [(3, OUTCOME), (2, OTHER)])
TABLE = TableView(
    [ROW, OFF],
    50,
    Found("a&b", "ticked", 3),
    Overview(dict.fromkeys(SHOWS, 90), 100, 90, 2, 1),
    1,
    OUTCOME,
    [Deletion(2.5, 3, "The y is"), Deletion(1.5, 1, "The z is")],
    Change(3.5, 2, "The y is"),
    PAST,
    [("a b", "ticked"), ("", "doubtful")],
    [("2", "Two")],
    "session",
)
BROUGHT = Import(
    id=4,
    name="file.csv",
    format="own table, CSV",
    rows=12,
    facts=9,
    merged=1,
    rejected=2,
    added=5,
    same=3,
    against=1,
    unused=("notes",),
    columns={},
    path="/file.csv",
    created=0.0,
    undone=None,
    kept=2,
)
OPTIONS = (Option(FACT, ()), Option(FACT, (7,)), Option(FACT, (8, 9, 10, 11)))
REPORT = ReportView(
    BROUGHT,
    "session",
    [KindCount("error", KIND, 90), KindCount("warning", KIND, 1)],
    "error",
    KIND,
    [PROBLEM, KEPT],
    50,
    [Conflict(1, 1, True, OPTIONS), Conflict(2, 2, True, OPTIONS[:2])],
    9,
    4,
    1,
)
JOB = Job(1, "import", {"name": "f", "facts": [1]}, "running", 0.5, "x", {}, "", 0, 0, None, None)
FAILED = Job(1, "load", {"name": "f"}, "failed", None, "", {}, "out of memory", 0, 0, 1.0, None)
GUESS = ColumnGuess("own", False, ("a", "b"), {"prompt": "a", "target_new": ""}, (("x", "y"),))
UPLOAD = Upload(1, "file.csv", "", GUESS, {"prompt": "a", "target_new": "b"}, None)
SAID = {"facts": 10, "asked": 8, "filled": 6, "silent": 1, "same": 2}
SUMMARY = {
    "parameters": 7_610_000,
    "notices": ["as found"],
    "answering": "",
    "fallback": "no states",
    "placement": "on disk",
}
SESSIONS = {
    "unreadable": {"9": "a newer workbench made it"},
    "sessions": [("1", "One"), ("2", "Two")],
    "session": "1",
    "discarded": [Discarded("3", "Three", 1.0)],
    "older": 2,
}
BANNER = {"closed": "Another has it.", "sentence": "It is gone.", "ways": True, "trashed": True}

VIEWS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "facts_table": (facts_table, [TABLE]),
    "fact_row": (fact_row, [ROW, True]),
    "details": (details, [ROW, 3, OUTCOME, PAST]),
    "many": (draw_preview, [SPLIT, Preview(9, 12, ((FACT, FACT),), at_most=True)]),
    "details, another answer": (details, [OFF, 3, OTHER]),
    "rephrased_card": (
        rephrased_card,
        [JOB, [Rephrased(1, "Rome is in", "Italy", (Wording("In", "no", "otherwise"),))], "added"],
    ),
    "asked_note": (asked_note, [None, SAID]),
    "asked_note, going on": (asked_note, [JOB, None]),
    "column_dialogs": (column_dialogs, [[UPLOAD]]),
    "import_jobs": (import_jobs, [[JOB], [FAILED]]),
    "import_history": (import_history, [[BROUGHT] * 12]),
    "import_report": (import_report, [REPORT]),
    "note": (drawn("facts/note"), [{"note": "It was added.", "doubts": ["It is asked as well."]}]),
    "help": (
        drawn("help"),
        [
            {
                "tabs": {"Facts": "Type."},
                "keys": {"s": "start"},
                "words": {"patch": "New weights."},
                "sessions": "f",
                "version": "1",
            }
        ],
    ),
    "loss_curve": (loss_curve, [[3.0, 0.5], 9, 0.01]),
    "notice": (notice, ["It went wrong."]),
    "now_card": (now_card, [[JOB], "Nothing is running.", FAILED]),
    "model": (
        drawn("sidebar/model"),
        [{"title": "x", "summary": SUMMARY, "rows": [("layers", "8")], "folder": "/x"}],
    ),
    "model, unknown": (
        drawn("sidebar/model"),
        [{"title": "x", "summary": None, "folder": "", "why": "y"}],
    ),
    "shown": (drawn("sidebar/shown"), [{"runs": [("1", "run 1")], "chosen": "1"}]),
    "session": (drawn("sidebar/session"), [SESSIONS]),
    "tools": (drawn("sidebar/tools"), [{"name": "One", "session": "1", "trash": True}]),
    "banner": (drawn("sidebar/banner"), [{**BANNER, "session": "1"}]),
}
ONLY_NUMBERS = ("asked_note", "loss_curve")


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_that_a_view_is_given_becomes_markup(name: str) -> None:
    assert times_shown_as_text(*VIEWS[name]) or name in ONLY_NUMBERS
