"""The fact table, an unfolded fact, the import's report and pasted lines, from data alone."""

import dataclasses
import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FactsError, SessionError
from workbench.facts import Fact, Question
from workbench.facts.guess import ColumnGuess
from workbench.methods.rephrased import Rephrased, Wording
from workbench.page.facts.actions import fact_with
from workbench.page.facts.asked import asked_note
from workbench.page.facts.columns import column_dialogs
from workbench.page.facts.history import import_history
from workbench.page.facts.paste import as_json_lines, read_pasted, read_questions
from workbench.page.facts.rephrased import rephrased_card
from workbench.page.facts.report import SHOWN_CONFLICTS, ReportView, import_report
from workbench.page.facts.row import details
from workbench.page.facts.table import TableView, facts_table
from workbench.store.facts import Deletion, FactRow, Overview
from workbench.store.found import SHOWS, Found
from workbench.store.import_conflicts import Conflict, Option
from workbench.store.imports import Import
from workbench.store.runs import FactOutcome
from workbench.store.uploads import Upload

COUNTS = dict.fromkeys(SHOWS, 1)
TAGS = re.compile(r"<[^>]*>")


def table(fact: Fact, **more: object) -> str:
    overview = Overview(COUNTS, total=1)
    view = TableView(rows=[FactRow(1, fact, True, "file")], overview=overview, **more)  # type: ignore[arg-type]
    return facts_table(view)


@given(st.text(min_size=1).filter(lambda wild: wild.strip()))
def test_no_text_of_a_fact_becomes_markup(wild: str) -> None:
    asked, usual = (Question(wild, wild),), (Question("x", "x"),)
    fact = Fact(wild, wild, wild, wild, (wild,), asked, (), (wild,), (wild,), asked)
    plain = Fact("x", "x", "x", "x", ("x",), usual, (), ("x",), ("x",), usual)
    outcome = FactOutcome(1, wild, fact.target_new, False, wild, wild)

    def tags(shown: Fact, said: FactOutcome) -> list[str]:
        row = FactRow(1, shown, True, "file")
        drawn = details(row, 2, said) + table(shown, opened=1)
        return [tag.split()[0].strip("<>") for tag in TAGS.findall(drawn)]

    assert tags(fact, outcome) == tags(plain, FactOutcome(1, "x", "x", False, "x", "x"))


def test_a_doubt_is_said_to_the_mouse_and_to_the_keyboard() -> None:
    row = FactRow(1, Fact("The x is", "same", ground_truth="same"), True, "file")
    from workbench.facts import fact_problems

    shown = facts_table(
        TableView(
            rows=[FactRow(1, row.fact, True, "file", problems=fact_problems(row.fact))],
            overview=Overview(COUNTS, total=1),
        )
    )
    mark = re.search(r'<button[^>]*class="doubt"[^>]*>', shown)
    assert mark is not None
    assert "The new answer is the old one" in html.unescape(mark.group())
    assert "aria-label=" in mark.group() and "title=" in mark.group()


def test_filters_by_a_run_are_offered_only_when_one_is_shown() -> None:
    fact = Fact("The x is", "y")
    assert 'data-show="learned"' not in table(fact)
    assert 'data-show="learned"' in table(fact, found=Found(run=3))


def test_undo_says_what_it_brings_back_and_what_comes_after() -> None:
    shown = table(
        Fact("The x is", "y"), deletions=[Deletion(2.5, 3, "The y is"), Deletion(1.5, 1, "The z")]
    )
    assert "3 facts deleted: The y is and 2 more" in shown
    assert "1 earlier deletion" in shown
    assert 'data-time="2.5"' in shown


def test_the_download_asks_for_what_is_found() -> None:
    shown = html.unescape(table(Fact("The x is", "y"), found=Found("a&b", "ticked")))
    assert "show=ticked&search=a%26b" in html.unescape(shown)


def test_an_unfolded_fact_says_what_the_run_said_and_when_it_compiled_another_answer() -> None:
    row = FactRow(1, Fact("The x is", "new"), True, "file.csv")
    said = details(row, 3, FactOutcome(1, "The x is", "new", True, "old", "new"))
    assert "From file.csv. Run 3: <b>old</b> before, <b>new</b> after; learned." in said
    other = details(row, 3, FactOutcome(1, "The x is", "older", True, "old", "older"))
    assert "it compiled another answer, <b>older</b>" in other
    assert "did not see this fact" in details(row, 3, None)


def test_what_is_typed_into_a_field_changes_only_that() -> None:
    fact = Fact("The x is", "y", locality_prompts=(Question("a", "b", ("c",)),))
    assert fact_with(fact, "rephrase_prompts", " one \n\ntwo").rephrase_prompts == ("one", "two")
    kept = fact_with(fact, "locality_prompts", "a => b\nd => e => f\ng")
    assert kept.locality_prompts == (
        Question("a", "b", ("c",)),
        Question("d => e", "f"),
        Question("g"),
    )
    assert fact_with(fact, "wordings", "one\ntwo\n").wordings == ("one", "two")
    held = fact_with(fact, "keep_prompts", "d => e\nf").keep_prompts
    assert held == (Question("d", "e"), Question("f"))
    assert fact_with(fact, "subject", " two\nlines ").subject == "two lines"
    with pytest.raises(FactsError):
        fact_with(fact, "prompt", " ")
    with pytest.raises(SessionError):
        fact_with(fact, "enabled", "1")


@pytest.mark.parametrize("separator", [" => ", "\t", "=>"])
def test_pasted_lines_without_a_header_are_facts(separator: str) -> None:
    found = read_pasted(f"The capital of X is{separator}Y\n\nThe author of Z is{separator}A, B\n")
    assert [(fact.prompt, fact.target_new) for fact in found] == [
        ("The capital of X is", "Y"),
        ("The author of Z is", "A, B"),
    ]
    assert found.numbers == (1, 3)


def test_a_pasted_line_without_an_answer_is_reported_with_its_row() -> None:
    found = read_pasted("The capital of X is => Y\nThe author of Z is\n")
    assert (len(found), found.rejected) == (1, 1)
    assert [problem.row for problem in found.problems if problem.severity == "error"] == [2]


def test_a_pasted_table_is_still_a_table() -> None:
    found = read_pasted("prompt,target_new\nif a => b then,c\n")
    assert [fact.prompt for fact in found] == ["if a => b then"]


def test_pasted_text_that_is_nothing_is_refused() -> None:
    with pytest.raises(FactsError):
        read_pasted("hello there\nand more")
    assert as_json_lines("no separator") == ""


def test_questions_are_read_line_by_line() -> None:
    assert read_questions(["a => b", " ", "c"]) == (Question("a", "b"), Question("c"))


BROUGHT = Import(
    id=4,
    name="<b>file</b>.csv",
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
    path="",
    created=0.0,
    undone=None,
    kept=0,
)


def test_a_report_shows_its_sums_and_what_is_not_used() -> None:
    shown = import_report(ReportView(BROUGHT, taken=1))
    assert "12 rows = 9 facts + 1 merged + 2 rejected" in shown
    assert "9 facts = 5 new + 3 there already + 1 against the table, 1 of them taken" in shown
    assert "Columns not used: notes." in shown
    assert "&lt;b&gt;file" in shown and "<b>file" not in shown


def test_a_conflict_names_its_rows_and_all_answers() -> None:
    options = (
        Option(Fact("The <i> is", "<b>old</b>"), ()),
        Option(Fact("The <i> is", "new"), (7,)),
        Option(Fact("The <i> is", "newer"), (8, 9)),
    )
    conflict = Conflict(1, 1, True, options)
    shown = import_report(
        ReportView(BROUGHT, conflicts=[conflict], open_conflicts=1, open_against=1)
    )
    assert "row 7" in shown and "rows 8, 9" in shown
    assert "&lt;b&gt;old" in shown and "<i>" not in shown
    assert "for all" not in shown
    many = import_report(
        ReportView(
            BROUGHT,
            conflicts=[conflict] * SHOWN_CONFLICTS,
            open_conflicts=SHOWN_CONFLICTS + 5,
            open_against=SHOWN_CONFLICTS + 5,
        )
    )
    assert "Take the file's for all" in html.unescape(many) and "and 5 more" in many
    assert "last row" not in many


def test_an_undone_import_offers_nothing_but_its_report() -> None:
    undone = dataclasses.replace(BROUGHT, undone=1.0, kept=2, path="/file.csv")
    shown = import_report(ReportView(undone, open_conflicts=3))
    assert "2 facts that you changed since stayed" in shown
    assert 'data-do="undo"' not in shown and 'data-do="choose"' not in shown
    assert 'data-do="undo"' not in import_history([undone])


def test_the_columns_of_a_file_are_read_only_once_both_needed_ones_are_chosen() -> None:
    guess = ColumnGuess(
        "own table, CSV", False, ("<i>", "b"), {"prompt": "<i>", "target_new": ""}, (("x", "y"),)
    )
    upload = Upload(1, "file.csv", "", guess, dict(guess.fields), None)
    assert "<button disabled" in column_dialogs([upload])
    ready = dataclasses.replace(upload, fields={"prompt": "<i>", "target_new": "b"})
    assert "disabled" not in column_dialogs([ready]) and "<i>" not in column_dialogs([ready])


def test_the_note_says_how_many_old_answers_were_filled() -> None:
    said = {"facts": 10, "asked": 8, "filled": 6, "silent": 1, "same": 2}
    shown = asked_note(None, said)
    assert "6 old answers filled; ended after 8 of 10; 1 got no answer; 2 facts already" in shown
    assert asked_note(None, None) == ""


def test_only_the_wordings_that_are_shown_can_be_dismissed_at_once() -> None:
    found = [Rephrased(n, "It is", "so", (Wording("So it is", "so"),)) for n in range(1, 23)]
    few, many = rephrased_card(None, found[:2]), rephrased_card(None, found)
    assert 'data-facts="1 2">Dismiss<' in few and '20">Dismiss these<' in many
    assert "and 2 more facts" in many
