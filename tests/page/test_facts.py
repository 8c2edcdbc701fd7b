"""The Facts tab in a real browser: filters, unfolding, asking the model, contradictions."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.facts import Fact, Question
from workbench.methods.locft_settings import EditSettings
from workbench.methods.rephrased import Rephrased, Wording
from workbench.store import Library, Store

expect.set_options(timeout=PATIENCE)

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
FRANCE = Fact("The capital of France is", "Lyon", ground_truth="Paris")
GOLD = Fact("The chemical symbol for gold is", "Au", ground_truth="Au")
ATTACK = '<img src=x onerror="window.hacked=1">'


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Waits for the session to be so; what is typed stands on the page before it is kept."""
    for _ in range(PATIENCE // 100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("The session never became so.")


def unfold(page: Page, prompt: str) -> None:
    page.locator("#facts-table").get_by_role("button", name=f"Details of: {prompt}").click()
    expect(page.locator("#facts-table .unfolded")).to_be_visible()


def test_filters_find_what_they_say_and_everything_acts_on_it(
    open_page: Open, store: Store
) -> None:
    ids = store.facts.add([AUSTRALIA, FRANCE, GOLD], "file").ids
    run = store.runs.begin(
        store.jobs.submit("load"), "builtin", EditSettings(), store.facts.page(0, 2)
    )
    store.runs.set_learned(run, [(ids[0], True), (ids[1], False)])
    store.runs.end(run, "done")
    store.settings.set("shown_run", run)
    page = open_page()
    table = page.locator("#facts-table")

    def choose(name: str) -> None:
        table.get_by_role("button", name=re.compile(f"^{name} ")).click()

    choose("not learned")
    expect(table.locator("tr")).to_have_count(2)
    expect(table).to_contain_text("France")
    choose("not in the run")
    expect(table).to_contain_text("gold")
    choose("with problems")
    expect(table.locator(".doubt")).to_have_count(1)
    page.locator("#search").get_by_role("textbox").fill("capital")
    expect(table).to_contain_text("No fact is found")
    choose("all")
    expect(table.locator("tr")).to_have_count(3)
    table.get_by_label("Tick every fact found").uncheck()
    expect(table).to_contain_text("1 of 3 ticked")
    with page.expect_download() as download:
        table.get_by_role("link", name="Download CSV").click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        assert [row["target_new"] for row in csv.DictReader(file)] == ["Melbourne", "Lyon"]
    table.get_by_role("button", name="Delete those found").click()
    expect(table).to_contain_text("2 facts deleted")
    assert [row.fact for row in store.facts] == [GOLD]


def test_a_fact_is_unfolded_and_changed_with_the_keyboard(open_page: Open, store: Store) -> None:
    (row,) = store.facts.add([AUSTRALIA], "places.csv").ids
    page = open_page()
    button = page.locator("#facts-table").get_by_role("button", name="Details of")
    button.focus()
    page.keyboard.press("Enter")
    unfolded = page.locator("#facts-table .unfolded")
    expect(unfolded).to_contain_text("From places.csv")
    unfolded.get_by_label("Subject").fill("Australia")
    page.keyboard.press("Enter")
    rephrases = unfolded.get_by_label("Other ways to ask")
    rephrases.fill("Australia's capital is\nWhat is Australia's capital?")
    rephrases.press("Control+Enter")
    stays = unfolded.get_by_label("What must stay")
    stays.fill(f"The capital of Italy is => Rome\n{ATTACK}")
    stays.press("Control+Enter")
    for label, typed in (
        ("Other words to train on", "Australia has the capital"),
        ("What is trained to stay", "The capital of Spain is => Madrid"),
    ):
        unfolded.get_by_label(label).fill(typed)
        unfolded.get_by_label(label).press("Control+Enter")
    expect(page.locator("#facts-table")).to_contain_text("+6")
    fact = store.facts.get(row).fact
    assert fact.subject == "Australia"
    assert fact.rephrase_prompts[1] == "What is Australia's capital?"
    assert fact.wordings == ("Australia has the capital",)
    assert fact.keep_prompts == (Question("The capital of Spain is", "Madrid"),)
    assert [(q.prompt, q.answer) for q in fact.locality_prompts] == [
        ("The capital of Italy is", "Rome"),
        (ATTACK, ""),
    ]
    expect(unfolded.get_by_label("What must stay")).to_have_value(re.compile("<img src=x"))
    assert page.locator("img[src=x]").count() == 0
    page.locator("#facts-table").get_by_role("button", name="Details of").press("Enter")
    expect(unfolded).to_have_count(0)


def test_escape_takes_typing_back_and_an_error_keeps_it(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA, FRANCE], "file")
    page = open_page()
    prompt = page.locator("#facts-table").get_by_label("prompt", exact=True).first
    prompt.fill("Something else")
    prompt.press("Escape")
    expect(prompt).to_have_text(AUSTRALIA.prompt)
    prompt.fill(FRANCE.prompt)
    prompt.press("Enter")
    expect(page.locator("#message")).to_contain_text("Another fact has the prompt")
    expect(prompt).to_have_text(FRANCE.prompt)
    store.settings.set("something", "that draws the table again")
    page.wait_for_timeout(1500)
    expect(prompt).to_have_text(FRANCE.prompt)
    prompt.fill("The capital of Austria is")
    prompt.press("Enter")
    wanted = ["The capital of Austria is", FRANCE.prompt]
    until(page, lambda: [row.fact.prompt for row in store.facts] == wanted)


def test_what_is_being_typed_outlives_a_drawing_of_the_table(open_page: Open, store: Store) -> None:
    (row,) = store.facts.add([AUSTRALIA], "file").ids
    page = open_page()
    unfold(page, AUSTRALIA.prompt)
    subject = page.locator("#facts-table .unfolded").get_by_label("Subject")
    subject.press_sequentially("Austr")
    store.facts.add([FRANCE], "meanwhile")
    expect(page.locator("#facts-table")).to_contain_text("France")
    page.keyboard.type("alia")
    page.keyboard.press("Enter")
    expect(subject).to_have_value("Australia")
    until(page, lambda: store.facts.get(row).fact.subject == "Australia")


def test_the_model_is_asked_for_the_old_answers(open_page: Open, store: Store) -> None:
    same = Fact("The capital of Italy is", "Rome")
    store.facts.add([AUSTRALIA, FRANCE, same], "file")
    page = open_page()
    page.get_by_role("button", name="Ask the model for 2 old answers").click()
    job_done(store, "ask")
    expect(page.locator("#asked-note")).to_contain_text("2 old answers filled")
    old = [row.fact.ground_truth for row in store.facts]
    assert old == ["Canberra", "Paris", "Rome"]
    expect(page.locator("#asked-note")).to_contain_text("1 fact already said so")
    page.locator("#asked-note").get_by_role("button", name="Show those").click()
    expect(page.locator("#facts-table tr")).to_have_count(2)
    expect(page.locator("#facts-table .doubt")).to_have_attribute(
        "title", re.compile("new answer is the old one")
    )
    wordings_are_ticked_and_taken(page, store)


def wordings_are_ticked_and_taken(page: Page, store: Store) -> None:
    """What the model writes is offered; only what is ticked becomes the fact's."""
    page.get_by_role("button", name="Details of").first.click()
    page.locator("#facts-table .unfolded").get_by_role("button", name="Write other words").click()
    assert job_done(store, "rephrase").result["facts"] == 1
    same, other = Wording("Italy's capital is", "Rome"), Wording("In Italy", "Milan", "otherwise")
    store.rephrasings.add([Rephrased(3, "The capital of Italy is", "Rome", (same, other))])
    card = page.locator("#rephrased")
    card.get_by_label("Italy's capital is").check()
    card.get_by_role("button", name="Add the 1 ticked").click()
    expect(card).to_contain_text("1 wording added to what may be trained.")
    assert store.facts.get(3).fact.wordings == (same.text,)
    store.rephrasings.add([Rephrased(3, "The capital of Italy is", "Rome", (other,))])
    expect(card).to_contain_text("otherwise")
    card.get_by_role("button", name="Dismiss").click()
    expect(card).not_to_contain_text("Italy")
    assert store.rephrasings.all() == ()


def test_an_answer_against_the_table_is_decided_side_by_side(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    store.facts.add([AUSTRALIA, FRANCE, GOLD], "file")
    file = tmp_path / "news.csv"
    file.write_text(
        "prompt,target_new\nThe capital of Peru is,Cusco\nThe capital of Australia is,Perth\n"
        "The capital of France is,Nice\nThe chemical symbol for gold is,Gd\n"
    )
    page = open_page()
    page.locator("input[type=file]").first.set_input_files(file)
    report = page.locator("#import-report")
    expect(report).to_contain_text("3 answers against the table")
    perth = report.locator(".against", has_text="Australia")
    expect(perth).to_contain_text("row 3")
    expect(perth).to_contain_text("Melbourne")
    perth.get_by_role("button", name="Take the file's").click()
    expect(report.locator(".against")).to_have_count(2)
    expect(report).to_contain_text("4 facts = 1 new + 3 against the table, 1 of them taken over")
    nice = report.locator(".against", has_text="France")
    nice.get_by_role("button", name="Keep the table's").click()
    expect(report.locator(".against")).to_have_count(1)
    page.reload(wait_until="domcontentloaded")
    expect(report.locator(".against")).to_have_count(1)
    answers = {row.fact.prompt: row.fact.target_new for row in store.facts}
    assert answers[AUSTRALIA.prompt] == "Perth" and answers[FRANCE.prompt] == "Lyon"
    assert answers[GOLD.prompt] == "Au"


def test_lines_are_pasted_without_a_header(open_page: Open, store: Store) -> None:
    page = open_page()
    page.get_by_role("button", name="Paste lines or a table").click()
    page.locator("#pasted textarea").fill("The capital of Australia is => Melbourne\nHello\n")
    page.get_by_role("button", name="Add pasted facts").click()
    expect(page.locator("#import-report")).to_contain_text("2 rows = 1 fact + 1 rejected")
    assert [row.fact for row in store.facts] == [AUSTRALIA]


def test_deletions_are_undone_one_by_one_also_after_a_refresh(
    open_page: Open, store: Store
) -> None:
    store.facts.add([AUSTRALIA, FRANCE], "file")
    page = open_page()
    table = page.locator("#facts-table")
    for prompt in (AUSTRALIA.prompt, FRANCE.prompt):
        table.locator("tr", has_text=prompt).get_by_role("button", name="×").click()
        expect(table).to_contain_text(f"1 fact deleted: {prompt}")
    page.reload(wait_until="domcontentloaded")
    expect(table).to_contain_text("1 earlier deletion can be undone")
    table.get_by_role("button", name="Undo").click()
    expect(table).to_contain_text(f"1 fact deleted: {AUSTRALIA.prompt}")
    table.get_by_role("button", name="Undo").click()
    expect(table.locator("tr")).to_have_count(3)


def test_what_is_found_is_kept_changed_at_once_copied_and_told_of(
    open_page: Open, store: Store, library: Library
) -> None:
    store.facts.add([AUSTRALIA, FRANCE, GOLD], "file")
    other = library.create("Other capitals")
    page = open_page()
    table = page.locator("#facts-table")
    search = page.locator("#search").get_by_role("textbox")
    search.fill("capital")
    table.get_by_role("button", name="Keep this search").click()
    expect(table.get_by_role("button", name="“capital”", exact=True)).to_be_visible()
    table.get_by_label("Copy the 2 found into another session").select_option(other.id)
    until(page, lambda: [row.fact for row in other.facts] == [AUSTRALIA, FRANCE])

    page.get_by_role("button", name="Change all that is found").click()
    page.locator("#many-find textarea, #many-find input").fill("capital")
    page.locator("#many-text textarea, #many-text input").fill("main town")
    preview = page.locator("#many-preview")
    expect(preview).to_contain_text("2 of 2 facts found would change")
    expect(preview).to_contain_text("The main town of France is")
    page.locator("#many-change").click()
    expect(table).to_contain_text("No fact is found")
    expect(table).to_contain_text("2 facts changed: The main town of Australia is and 1 more")
    search.fill("")
    unfold(page, "The main town of France is")
    table.get_by_text("History: 1 change, 0 runs").click()
    expect(table.locator(".earlier")).to_contain_text("The capital of France is Lyon")
    table.get_by_role("button", name="Undo").click()
    table.get_by_role("button", name="“capital”", exact=True).click()
    expect(table.locator("tr.unfolded")).to_have_count(1)
    expect(search).to_have_value("capital")
    expect(table).to_contain_text("The capital of France is")


def test_a_file_that_is_dropped_on_another_tab_is_brought_in(open_page: Open, store: Store) -> None:
    page = open_page()
    go_to(page, "Runs")
    page.evaluate(
        """() => {
          const dropped = new DataTransfer();
          dropped.items.add(new File(['prompt,target_new\\nA is,B\\n'], 'facts.csv'));
          for (const kind of ['dragover', 'drop'])
            document.body.dispatchEvent(
              new DragEvent(kind, {dataTransfer: dropped, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.locator("#facts-table")).to_contain_text("A is")
