"""The page in a real browser, with the real worker and the built-in model behind it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.facts import Fact, Question
from workbench.methods.locft_settings import EditSettings
from workbench.store import Library, Store
from workbench.store.library import add_samples

expect.set_options(timeout=PATIENCE)

SAMPLES = Path(__file__).resolve().parents[2] / "assets" / "samples"
AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
ENDLESS = EditSettings(epochs=100_000, stop_loss=0.0, skip_loss=0.0, at=("7.mlp.down_proj",))
ATTACK = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${window.hacked=1}'


def type_fact(page: Page, prompt: str, answer: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_label("New answer", exact=True).fill(answer)
    page.get_by_role("button", name="Add fact").click()
    expect(page.locator("#facts-table")).to_contain_text(prompt)


def start(page: Page) -> None:
    go_to(page, "Edit")
    page.locator("#start").click()


def test_a_first_visit_leads_to_a_seen_edit(open_page: Open, store: Store) -> None:
    add_samples(store)
    page = open_page()
    expect(page.locator("#facts-table tr")).to_have_count(21)
    expect(page.locator("#model-card")).to_contain_text("8 × Llama")
    start(page)
    job_done(store, "edit")
    row = page.locator("#run-card .outcomes tr", has_text="The capital of Australia is")
    expect(row).to_contain_text("Canberra")
    expect(row.locator("mark")).to_have_text("Melbourne")
    expect(page.locator("#run-card")).to_contain_text("generalization")
    go_to(page, "Runs")
    expect(page.locator("#runs-table tr.chosen")).to_contain_text("run 1")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download the patch")).click()
    assert download.value.suggested_filename == "run-1.safetensors"


def test_a_typed_fact_is_edited_and_probed(open_page: Open, store: Store) -> None:
    page = open_page()
    expect(page.locator("#facts-table")).to_contain_text("No facts yet")
    page.get_by_role("button", name="More about it").click()
    for label, text in (
        ("Other ways to ask", "Where does Australia govern?"),
        ("Other words to train on", "Australia is ruled from\nwhere does Australia govern?"),
        ("What is trained to stay", "The capital of Spain is => Madrid"),
    ):
        page.get_by_label(label).fill(text)
    type_fact(page, AUSTRALIA.prompt, AUSTRALIA.target_new)
    expect(page.locator("#typed-note")).to_contain_text("it is a rephrase of this fact itself")
    expect(page.get_by_label("Other words to train on")).to_have_value("")
    fact = store.facts.get(1).fact
    assert fact.wordings == ("Australia is ruled from", "where does Australia govern?")
    assert fact.keep_prompts == (Question("The capital of Spain is", "Madrid"),)
    start(page)
    job_done(store, "edit")
    expect(page.locator("#run-card .outcomes mark")).to_have_text("Melbourne")
    go_to(page, "Probe")
    page.locator("#prompt textarea").fill("The capital of Australia is")
    page.locator("#ask").click()
    answer = page.locator("#answers .answer").first
    expect(answer.locator(".half").nth(0)).to_contain_text("Canberra")
    expect(answer.locator(".half").nth(1).locator("mark")).to_have_text("Melbourne")
    expect(answer.locator(".half").nth(1)).to_contain_text("after · run 1")
    expect(answer.locator(".token")).to_have_count(10)


def test_an_upload_with_mistakes_shows_each_with_its_remedy(open_page: Open, store: Store) -> None:
    page = open_page()
    page.locator("input[type=file]").first.set_input_files(SAMPLES / "facts_with_mistakes.csv")
    report = page.locator("#import-report")
    expect(report).to_contain_text("facts_with_mistakes.csv")
    expect(report.locator(".pill.bad").first).to_have_text("left out")
    expect(report).to_contain_text(re.compile(r"\d+ rows = \d+ facts"))
    added = store.facts.count()
    assert added > 0
    expect(page.locator("#facts-table tr")).to_have_count(added + 1)
    assert report.locator("tr").count() > 5


def test_a_file_that_holds_no_facts_is_refused_in_words(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text("{not json")
    page = open_page()
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.locator("#now")).to_contain_text("wrong.json")
    assert store.facts.count() == 0


def test_ticks_changes_and_deletions_are_kept(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA, Fact("The capital of France is", "Lyon")], "file")
    page = open_page()
    table = page.locator("#facts-table")
    table.get_by_label("Use this fact").first.uncheck()
    expect(table).to_contain_text("1 of 2 ticked")
    cell = table.get_by_label("new answer").first
    cell.fill("Perth")
    cell.press("Enter")
    expect(page.locator("#facts-table")).to_contain_text("Perth")
    table.locator("tr", has_text="France").get_by_role("button", name="×").click()
    expect(table).to_contain_text("1 fact deleted")
    table.get_by_role("button", name="Undo").click()
    expect(table.locator("tr")).to_have_count(3)
    assert [(row.fact.target_new, row.enabled) for row in store.facts] == [
        ("Perth", False),
        ("Lyon", True),
    ]


def test_a_refresh_and_a_second_tab_show_the_run_that_goes_on(
    open_page: Open, store: Store
) -> None:
    store.facts.add([AUSTRALIA], "file")
    store.settings.set("edit", ENDLESS.as_dict())
    page = open_page()
    start(page)
    expect(page.locator("#run-card .bar")).to_be_visible()
    expect(page.locator("#run-card .chart .loss")).to_be_visible()
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#now")).to_contain_text("epoch")
    second = open_page()
    go_to(second, "Edit")
    expect(second.locator("#run-card")).to_contain_text("running")
    second.locator("#now").get_by_role("button", name="Cancel").click()
    expect(page.locator("#now")).to_contain_text("Nothing is running")
    go_to(page, "Edit")
    expect(page.locator("#run-card").get_by_role("button", name="Resume")).to_be_visible()


@pytest.mark.kill
def test_a_killed_worker_is_told_and_the_run_can_go_on(
    open_page: Open, store: Store, library: Library
) -> None:
    import os
    import signal

    from workbench.store.status import WorkerStatus

    store.facts.add([AUSTRALIA], "file")
    store.settings.set("edit", ENDLESS.as_dict())
    page = open_page()
    start(page)
    expect(page.locator("#run-card .chart .loss")).to_be_visible()
    status = WorkerStatus.read(library.root)
    assert status is not None
    os.kill(status.pid, signal.SIGKILL)
    expect(page.locator("#now [role=alert]")).to_contain_text("The worker was killed")
    page.locator("#run-card").get_by_role("button", name="Resume").click()
    expect(page.locator("#run-card")).to_contain_text("running")
    page.locator("#now").get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-card")).to_contain_text("stopped")


def test_html_in_facts_and_prompts_is_only_text(open_page: Open, store: Store) -> None:
    store.settings.set("edit", EditSettings(epochs=2).as_dict())
    page = open_page()
    type_fact(page, "Hello " + ATTACK, "Bye " + ATTACK)
    store.settings.set("name", ATTACK)
    expect(page.locator("#facts-table")).to_contain_text("<img src=x")
    go_to(page, "Probe")
    page.locator("#prompt textarea").fill(ATTACK)
    page.locator("#ask").click()
    expect(page.locator("#answers .half").first).to_be_visible()
    start(page)
    job_done(store, "edit")
    expect(page.locator("#run-card .outcomes").first).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_a_chosen_cell_is_where_the_next_run_tunes(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "file")
    page = open_page()
    go_to(page, "Layers")
    page.locator('#layer-grid [data-at="5.mlp.up_proj"]').click()
    expect(page.locator("#location-card h2")).to_contain_text("5.mlp.up_proj")
    go_to(page, "Edit")
    expect(page.locator("#same-command")).to_contain_text(
        "workbench edit facts.csv --at 5.mlp.up_proj --out patch"
    )
    page.locator("#start").click()
    job_done(store, "edit")
    expect(page.locator("#run-card")).to_contain_text("done")
    assert store.runs.get(1).at == ("5.mlp.up_proj",)


def test_a_wrong_setting_is_refused_with_its_name(open_page: Open, store: Store) -> None:
    store.facts.add([AUSTRALIA], "file")
    page = open_page()
    go_to(page, "Edit")
    page.get_by_role("textbox", name=re.compile("Epochs")).fill("many")
    page.locator("#start").click()
    expect(page.locator("#message")).to_contain_text("Epochs is 'many'")
    assert store.runs.all() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
def test_every_tab_fits_the_window(open_page: Open, store: Store, scheme: str, width: int) -> None:
    store.facts.add([AUSTRALIA], "file")
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for tab in ("Facts", "Layers", "Edit", "Probe", "Evaluate", "Runs"):
        go_to(page, tab)
        expect(page.locator(".card:visible").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(19, 21, 22)" if scheme == "dark" else "rgb(251, 251, 250)")


def test_the_theme_can_be_chosen_and_stays(open_page: Open, store: Store) -> None:
    page = open_page(color_scheme="light")
    page.locator("#theme-switch").get_by_role("button", name="Dark").click()
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("body")).to_have_class(re.compile("dark"))
