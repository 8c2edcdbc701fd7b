"""On the page: the model of an imported session is a name, and loaded by a click alone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.hub import TOKEN, local_hub
from tests.page.conftest import PATIENCE, Open, job_done, started
from workbench.model.choice import ModelChoice
from workbench.paths import builtin_model_dir
from workbench.store import Library, Store
from workbench.store.archive import pack

expect.set_options(timeout=PATIENCE)

ATTACK = '<img src=x onerror="window.hacked=1">/${window.hacked=1}'


def packed(folder: Path, model: str) -> Path:
    """The zip of a session of another machine that names a model."""
    other = Library(folder / "elsewhere").create("From elsewhere", samples=True)
    other.settings.choose_model(ModelChoice(model))
    pack(other.folder, folder / "session.zip")
    return folder / "session.zip"


@pytest.fixture
def foreign(library: Library, tmp_path: Path) -> Store:
    """A session from elsewhere whose model is a folder that this machine has."""
    return library.bring_in(packed(tmp_path, str(builtin_model_dir())))


@pytest.mark.parametrize("width", [1440, 420])
def test_the_model_is_loaded_when_a_person_says_so(
    open_page: Open, library: Library, foreign: Store, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    if width < 900:
        page.locator(".brand .fold").click()
    page.locator("#session-list").select_option(foreign.id)
    question = page.locator("#foreign-model")
    expect(question).to_contain_text(f"Load “{builtin_model_dir()}”?")
    expect(question).to_contain_text("no network is asked")
    expect(page.locator("#model-card")).to_contain_text("Not loaded.")
    assert foreign.jobs.latest("load") is None
    if width < 900:
        # The question is not folded away with the rest.
        page.locator(".brand .fold").click()
        expect(page.locator("#session-list")).to_be_hidden()
        expect(question).to_be_visible()
    question.get_by_role("button", name="Load this model").click()
    assert job_done(foreign, "load").state == "done"
    expect(question).to_be_hidden()
    expect(page.locator("#model-card")).to_contain_text("Llama")
    assert foreign.settings.model_is_confirmed


def test_an_imported_session_says_that_the_hub_would_be_asked_and_asks_nothing(
    open_page: Open, store: Store, library: Library, tmp_path: Path
) -> None:
    page = open_page()
    page.get_by_role("button", name="Rename, copy, export, delete").click()
    file = packed(tmp_path, ATTACK)
    page.locator("#session-import input[type=file]").set_input_files(file)
    expect(page.locator("#session-list")).not_to_have_value(store.id)
    brought = library.open(str(page.locator("#session-list").input_value()))
    question = page.locator("#foreign-model")
    expect(question).to_contain_text(f"Load “{ATTACK}”?")
    expect(question).to_contain_text(re.compile("hub will be asked .* access token"))
    assert page.evaluate("window.hacked") is None
    page.reload(wait_until="domcontentloaded")
    expect(question).to_be_visible()
    assert brought.jobs.latest("load") is None
    # Another model can be chosen instead, and then nothing is asked any more.
    brought.settings.choose_model(ModelChoice())
    expect(question).to_be_hidden()


def test_a_question_about_another_model_by_now_is_no_answer(
    foreign: Store, open_page: Open
) -> None:
    page = open_page()
    page.locator("#session-list").select_option(foreign.id)
    question = page.locator("#foreign-model")
    expect(question).to_be_visible()
    button = question.get_by_role("button", name="Load this model")
    button.evaluate("button => button.dataset.model = 'other/model'")
    button.click()
    expect(page.locator("#message")).to_contain_text("names another model by now")
    assert foreign.jobs.latest("load") is None


def test_starting_the_workbench_on_it_asks_nobody_and_one_click_asks_the_hub(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path / "sessions")
    brought = library.bring_in(packed(tmp_path, "some/model"))
    with local_hub(monkeypatch, tmp_path / "hub") as hub, started(library.root) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url, wait_until="domcontentloaded")
        question = page.locator("#foreign-model")
        expect(question).to_contain_text("Load “some/model”?")
        # The worker has begun to work once it has answered something.
        brought.ask("The capital of Australia is")
        assert "came from elsewhere" in job_done(brought, "ask").error
        assert [job.kind for job in brought.jobs.open_jobs()] == []
        assert brought.jobs.latest("load") is None
        assert (hub.connections, hub.asked) == (0, [])
        question.get_by_role("button", name="Load this model").click()
        assert "some/model" in job_done(brought, "load").error
        assert f"/some/model/resolve/main/config.json Bearer {TOKEN}" in hub.asked
        context.close()
