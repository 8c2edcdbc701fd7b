"""The Evaluate tab in a real browser: measures, failures, reports and studies."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.capitals import capitals
from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.measure.stress_settings import StressSettings
from workbench.methods.locft_settings import EditSettings
from workbench.search.study_settings import StudySettings
from workbench.store import Store

expect.set_options(timeout=PATIENCE)

EVIL = "<img src=x onerror=hacked=1>"
FACTS = capitals(EVIL)
# Learns next to nothing, so that there are failures.
HARDLY = EditSettings(epochs=1, learning_rate=1e-6)


def test_a_failure_is_found_and_asked_on_probe(open_page: Open, store: Store) -> None:
    store.facts.add(FACTS, "capitals.csv")
    store.jobs.submit("edit", {"settings": HARDLY.as_dict()})
    job_done(store, "edit")
    page = open_page()
    go_to(page, "Evaluate")
    lead = "Run 1: All protocols on all 3 facts."
    expect(page.locator("#evaluation")).to_contain_text(lead)
    headings = page.locator("#evaluation .protocol h3")
    expect(headings).to_have_text(["strict", "generated", "token"])
    measures = page.locator("#evaluation tr")
    for words in ("reliability, in chat", "locality, first token unchanged", "loss of plain text"):
        expect(measures.filter(has_text=words).first).to_be_visible()
    questions = page.locator("#questions")
    expect(questions).to_contain_text("6 questions of 9 failed")
    expect(questions.locator("tr")).to_have_count(7)
    page.locator("#question-search :is(input, textarea)").fill("Italy")
    expect(questions.locator("tr")).to_have_count(3)
    questions.get_by_role("button", name=re.compile("Must stay")).click()
    expect(questions).to_contain_text("No question here holds 'Italy'")
    page.locator("#question-search :is(input, textarea)").fill("")
    expect(questions.locator("tr")).to_have_count(4)
    expect(questions).to_contain_text("unchanged: strict yes")
    expect(questions).to_contain_text("in chat: ")
    # A number leads to the questions behind it.
    page.locator("#evaluation").get_by_role("button", name="reliability", exact=True).first.click()
    row = questions.locator("tr", has_text="The capital of Australia is")
    expect(row).to_contain_text("Melbourne")
    row.get_by_role("button", name="Ask it").click()
    card = page.locator("#answers .answer").first
    expect(card).to_contain_text("a fact with its rephrases and what must stay")
    expect(card).to_contain_text("Canberra")
    assert page.evaluate("window.hacked") is None


def test_what_is_measured_is_kept_and_the_report_opens_offline(
    open_page: Open, store: Store, browser: Browser, tmp_path: Path
) -> None:
    store.facts.add(FACTS, "capitals.csv")
    store.settings.set("name", EVIL)
    store.settings.keep("stress", StressSettings(max_new_tokens=4))
    page = open_page()
    go_to(page, "Evaluate")
    expect(page.locator("#evaluation")).to_contain_text("No run is shown as after")
    page.get_by_text("What is measured").click()
    page.get_by_label("Health of the writing").check()
    page.get_by_label("Written answers").fill("2")
    page.get_by_label("Written answers").blur()
    start = page.locator("#evaluate-start")
    expect(start).to_contain_text("workbench evaluate facts.csv --written 2 --health")
    start.get_by_role("button", name="Evaluate the base alone").click()
    job_done(store, "evaluate")
    expect(page.locator("#evaluation")).to_contain_text("on 2 of them, drawn with seed 0")
    further = page.locator("#evaluation-further")
    expect(further).to_contain_text("still write well?")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Report").click()
    file = tmp_path / "report.html"
    waiting.value.save_as(file)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="as JSON").click()
    assert waiting.value.suggested_filename == "report-base.json"
    asked: list[str] = []
    fresh = browser.new_context(offline=True)
    report = fresh.new_page()
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    expect(report.locator("h1")).to_contain_text(EVIL)
    assert report.evaluate("window.hacked") is None
    assert asked == [file.as_uri()]
    fresh.close()
    stress = page.locator("#stress")
    expect(stress).to_contain_text("workbench stress facts.csv --max-new-tokens 4")
    stress.get_by_role("button", name="Stress the base alone").click()
    job_done(store, "stress")
    expect(stress.locator("table.stress tr")).to_have_count(13)
    expect(stress).to_contain_text("no judge was named")
    with page.expect_download() as waiting:
        stress.get_by_role("link", name="Report").click()
    assert waiting.value.suggested_filename == "stress-base.html"
    assert "What went wrong" in waiting.value.path().read_text(encoding="utf-8")
    page.get_by_label("Written answers").fill("many")
    page.get_by_label("Written answers").blur()
    expect(page.locator("#message")).to_contain_text("Written answers is 'many'")


def test_a_study_runs_shows_its_table_and_can_be_cancelled(open_page: Open, store: Store) -> None:
    store.facts.add(FACTS[:2], "capitals.csv")
    settings = StudySettings(passes=2, learning_rates=(5e-3,), locft_at="6.mlp.down_proj")
    store.settings.set("study", settings.as_dict())
    page = open_page()
    go_to(page, "Evaluate")
    study = page.locator("#study")
    expect(study).to_contain_text("workbench study pipelines facts.csv --passes 2")
    study.get_by_role("button", name="Start the study").click()
    job_done(store, "study")
    expect(study.get_by_role("button", name="Study again")).to_be_visible()
    expect(study.locator("table.study tr")).to_have_count(6)
    expect(study).to_contain_text("ordering")
    study.get_by_role("button", name="Scale").click()
    expect(study).to_contain_text("LocFT-BF on 10, 100, 1,000")
    few = {"methods": ["ft-m", "ultraedit"], "modes": ["each"], "strengths": [1.0], "written": 1}
    store.settings.set("study", settings.as_dict() | few)
    study.get_by_role("button", name="Methods").click()
    expect(study).to_contain_text("Every method on the same facts")
    study.get_by_role("button", name="Start the study").click()
    job_done(store, "study")
    expect(study.locator("svg.rivals g")).to_have_count(2)
    expect(study).to_contain_text("One by one: reliability")
    store.settings.set("study", (settings.as_dict() | {"passes": 100_000, "kind": "locations"}))
    study.get_by_role("button", name="Start the study").click()
    study.get_by_role("button", name="Cancel").click()
    expect(study.get_by_role("button", name="Cancel")).to_have_count(0)
    latest = store.studies.latest("locations")
    assert latest is None or latest.state == "stopped"


@pytest.mark.parametrize(("scheme", "width"), [("light", 420), ("dark", 1280)])
def test_an_evaluation_fits_the_window(
    open_page: Open, store: Store, scheme: str, width: int
) -> None:
    store.facts.add(FACTS, "capitals.csv")
    store.jobs.submit("edit", {"settings": HARDLY.as_dict()})
    job_done(store, "edit")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    go_to(page, "Evaluate")
    expect(page.locator("#questions tr")).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width > 1000:  # every table has all its columns
        cut = page.locator("#work .scroll").evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
        )
        assert cut == []
