"""Importing in a real browser: mistakes, columns, conflicts, undo, cancelling, files to keep."""

import csv
import json
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open
from workbench.facts import Fact
from workbench.store import Store
from workbench.store.imports import LARGEST

expect.set_options(timeout=PATIENCE)

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
MISTAKES = (
    "prompt,target_new,ground_truth\n"
    "The capital of France is,Lyon,Paris\n"
    "The capital of France is,Lyon,Paris\n"
    "The capital of France is,Nice,Paris\n"
    "The capital of Italy is,Rome,Rome\n"
    ",<img src=x onerror=window.hacked=1>,\n"
    "The capital of Australia is,Perth,\n"
)


def upload(page: Page, *files: Path) -> None:
    page.locator("#facts-files input[type=file]").set_input_files(files)


def test_files_with_mistakes_are_reported_row_by_row(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("prompt,target_new\nThe capital of Spain is,Seville\n", encoding="utf-8")
    bad.write_text(MISTAKES, encoding="utf-8")
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    upload(page, good, bad)
    report, history = page.locator("#import-report"), page.locator("#import-history")
    expect(history.get_by_role("button", name="Report")).to_have_count(2)
    expect(report).to_contain_text("bad.csv")
    expect(report).to_contain_text("6 rows = 3 facts + 1 merged + 2 rejected")
    expect(report).to_contain_text("3 facts = 2 new + 1 against the table")
    expect(page.locator("#facts-table")).to_contain_text("4 of 4 ticked")
    report.get_by_role("button", name="missing").click()
    expect(report.locator(".problems tr")).to_have_count(2)
    expect(report.locator(".problems")).to_contain_text("there is nothing to learn")
    assert page.evaluate("window.hacked") is None
    with page.expect_download() as download:
        report.get_by_role("link", name="Download report").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert sorted(kinds) == ["conflict", "merged", "missing", "no change"]
    history.locator(".pair", has_text="good.csv").get_by_role("button", name="Report").click()
    expect(report).to_contain_text("1 row = 1 fact")
    report.get_by_role("button", name="Dismiss").click()
    expect(report.locator(".card")).to_have_count(0)


def test_conflicts_are_shown_side_by_side_and_an_import_is_undone(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(MISTAKES, encoding="utf-8")
    store.facts.add([AUSTRALIA], "typed")
    page = open_page()
    upload(page, bad)
    report = page.locator("#import-report")
    inside = report.locator(".against", has_text="France")
    expect(inside).to_contain_text("row 2")
    inside.get_by_role("button", name="Take row 4's").click()
    expect(report.locator(".against")).to_have_count(1)
    report.get_by_role("button", name="Take the file's").click()
    expect(report.locator(".against")).to_have_count(0)
    answers = {row.fact.prompt: row.fact.target_new for row in store.facts}
    assert answers["The capital of France is"] == "Nice" and answers[AUSTRALIA.prompt] == "Perth"
    (italy,) = (row for row in store.facts if "Italy" in row.fact.prompt)
    store.facts.change(italy.id, Fact(italy.fact.prompt, "Milan"))
    report.get_by_role("button", name="Undo this import").click()
    expect(report).to_contain_text("1 fact that you changed since stayed")
    assert [row.fact.target_new for row in store.facts] == ["Melbourne", "Milan"]
    page.locator("#facts-table .undo").get_by_role("button", name="Undo").click()
    expect(page.locator("#facts-table")).to_contain_text("3 of 3 ticked")
    expect(report.get_by_role("button", name="Undo this import")).to_be_visible()


def test_a_person_says_which_column_holds_what_and_is_asked_once(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    first, second = tmp_path / "erste.csv", tmp_path / "zweite.csv"
    first.write_text("Kysymys,Vastaus\nThe capital of France is,Lyon\n", encoding="utf-8")
    second.write_text("Vastaus,Kysymys\nMilan,The capital of Italy is\n", encoding="utf-8")
    page = open_page()
    upload(page, first)
    dialog = page.get_by_role("group", name="Columns of erste.csv")
    expect(dialog.locator(".preview")).to_contain_text("Lyon")
    read = dialog.get_by_role("button", name="Read the file")
    expect(read).to_be_disabled()
    dialog.get_by_label("Prompt", exact=True).select_option("Kysymys")
    expect(dialog.locator("th.held")).to_contain_text("Prompt")
    page.reload(wait_until="domcontentloaded")
    expect(dialog.get_by_label("Prompt", exact=True)).to_have_value("Kysymys")
    dialog.get_by_label("New answer").select_option("Vastaus")
    expect(read).to_be_enabled()
    read.click()
    expect(page.locator("#facts-table")).to_contain_text("Lyon")
    expect(dialog).to_have_count(0)
    upload(page, second)
    expect(page.locator("#facts-table")).to_contain_text("Milan")
    assert len(store.imports.all()) == 2


def test_a_known_file_is_asked_about_when_a_person_wants_it(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "places.csv"
    file.write_text("prompt,target_new,old\nThe capital of France is,Lyon,Paris\n", "utf-8")
    page = open_page()
    page.get_by_label("Let me say which column holds what").check()
    upload(page, file)
    dialog = page.get_by_role("group", name="Columns of places.csv")
    dialog.get_by_label("Old answer").select_option("")
    expect(dialog.locator("th.held")).to_have_count(2)
    dialog.get_by_role("button", name="Read the file").click()
    report = page.locator("#import-report")
    expect(report).to_contain_text("Columns not used: old")
    report.get_by_role("button", name="Choose columns").click()
    dialog.get_by_label("Old answer").select_option("old")
    expect(dialog.locator("th.held")).to_have_count(3)
    dialog.get_by_role("button", name="Read the file").click()
    expect(page.locator("#facts-table tr").last).to_contain_text("Paris")
    assert [row.fact.ground_truth for row in store.facts] == ["Paris"]


def test_another_encoding_is_chosen_in_the_report_and_before_reading(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "города.csv"
    file.write_bytes("prompt,target_new\nСтолица Франции,Лион\n".encode("koi8_r"))
    garbled = "Столица".encode("koi8_r").decode("cp1251")
    page = open_page()
    upload(page, file)
    report, table = page.locator("#import-report"), page.locator("#facts-table")
    expect(report).to_contain_text("Cyrillic: KOI8-R: 'Столица Франции,Лион'")
    choice = report.get_by_label("Read in another encoding")
    expect(choice).to_have_value("koi8_r")
    choice.select_option("cp1251")
    expect(table).to_contain_text(garbled)
    expect(choice).to_have_value("cp1251")
    assert len(store.facts.enabled()) == 1
    report.get_by_role("button", name="Choose columns").click()
    dialog = page.get_by_role("group", name="Columns of города.csv")
    expect(dialog.locator(".preview")).to_contain_text(garbled)
    dialog.get_by_label("Old answer").select_option("target_new")
    dialog.get_by_label("New answer").select_option("target_new")
    dialog.get_by_label("Encoding").select_option("koi8_r")
    expect(dialog.locator(".preview")).to_contain_text("Лион")
    dialog.get_by_role("button", name="Read the file").click()
    expect(choice).to_have_value("koi8_r")
    assert [row.fact.target_new for row in store.facts] == ["Лион"]


def test_a_big_import_is_cancelled_and_nothing_of_it_stays(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    store.facts.add([AUSTRALIA], "typed")
    file = tmp_path / "big.csv"
    lines = "".join(f"The number after {n} is,{n + 1}\n" for n in range(300_000))
    file.write_text(f"prompt,target_new\n{lines}", encoding="utf-8")
    page = open_page()
    upload(page, file)
    going = page.locator("#import-now")
    going.get_by_role("button", name="Cancel").click()
    expect(going.locator(".notice")).to_have_count(0)
    assert store.jobs.latest("import").state == "cancelled"  # type: ignore[union-attr]
    assert [row.fact for row in store.facts] == [AUSTRALIA]
    expect(page.locator("#facts-table")).to_contain_text("1 of 1 ticked")


def test_a_file_that_cannot_be_read_is_named_with_its_reason(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "broken.json"
    file.write_text("[[[[", encoding="utf-8")
    page = open_page()
    upload(page, file)
    going = page.locator("#import-now")
    expect(going).to_contain_text("broken.json was not imported.")
    going.get_by_role("button", name="Dismiss").click()
    expect(going.locator(".notice")).to_have_count(0)
    page.get_by_role("button", name="Limit").click()
    largest = page.locator("#largest-file input")
    expect(largest).to_have_value("200")
    page.wait_for_timeout(500)  # typed in the instant of unfolding, about one in five is lost
    largest.fill("1")
    largest.press("Enter")
    end = time.monotonic() + PATIENCE / 1000
    while store.settings.get(LARGEST) != 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    big = tmp_path / "big.csv"
    big.write_text("prompt,target_new\n" + "The x is,y\n" * 120_000, encoding="utf-8")
    upload(page, big)
    expect(going).to_contain_text("big.csv was not imported.")
    expect(going).to_contain_text("MB")


def test_what_is_too_long_in_the_models_tokens_is_said_after_an_import(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "long.csv"
    answer = " ".join(f"word{n}" for n in range(60))
    file.write_text(f"prompt,target_new\nThe motto is,{answer}\n", encoding="utf-8")
    page = open_page()
    expect(page.locator("#model-card")).to_contain_text("layers")
    upload(page, file)
    table = page.locator("#facts-table")
    expect(table.locator(".doubt")).to_have_count(1)
    expect(table.locator(".said-on-focus")).to_contain_text("32 of them are generated")


def test_facts_are_kept_in_the_files_that_other_editors_read(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA, Fact("The capital of France is", "Lyon", "France")], "file")
    page = open_page()
    table = page.locator("#facts-table")
    with page.expect_download() as download:
        table.get_by_role("link", name="Download CounterFact").click()
    records = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [record["case_id"] for record in records] == [0, 1]
    assert records[1]["target_new"] == "Lyon" and records[1]["subject"] == "France"
    with page.expect_download() as download:
        table.get_by_role("link", name="Download JSONL").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert json.loads(lines[0]) == {"prompt": AUSTRALIA.prompt, "target_new": "Melbourne"}
