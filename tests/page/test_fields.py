"""Forms in a real browser: what is folded away is not lost, and another model is chosen."""

from playwright.sync_api import expect

from tests.page.conftest import PATIENCE, Open, go_to
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.model.choice import ModelChoice
from workbench.search.study_settings import StudySettings
from workbench.store import Store

expect.set_options(timeout=PATIENCE)


def test_what_is_typed_keeps_what_lies_folded(open_page: Open, store: Store) -> None:
    kept = StudySettings(kind="scale", sizes=(3, 5), written=7, seed=4, capability=("builtin",))
    store.settings.set("study", kept.as_dict())
    page = open_page()
    go_to(page, "Evaluate")
    page.get_by_role("button", name="Settings of the study").click()
    # What the session has stands in an unfolded field a moment after the field itself is there.
    expect(page.get_by_label("Passes")).to_have_value(str(kept.passes))
    page.get_by_label("Passes").fill("9")
    page.get_by_label("Passes").blur()
    line = page.locator("#study")
    expect(line).to_contain_text(
        "workbench study scale facts.csv --passes 9 --size 3 --size 5 --written 7 "
        "--capability builtin --seed 4"
    )
    page.get_by_role("button", name="More settings").click()
    expect(page.get_by_label("Seed of the study")).to_have_value("4")
    expect(page.get_by_label("Sizes")).to_have_value("3, 5")
    page.get_by_label("Seed of the study").fill("")
    page.get_by_label("Seed of the study").blur()
    expect(line).not_to_contain_text("--seed")
    expect(line).to_contain_text("--size 3 --size 5")
    page.get_by_label("Passes").fill("few")
    page.get_by_label("Passes").blur()
    expect(page.locator("#message")).to_contain_text("Passes is 'few'; write a whole number")
    expect(page.get_by_label("Passes")).to_have_value("few")
    found = StudySettings.from_dict(store.settings.get("study"))
    assert (found.passes, found.seed, found.sizes, found.written) == (9, 0, (3, 5), 7)


def test_switches_show_what_is_kept_and_keep_what_is_switched(
    open_page: Open, store: Store
) -> None:
    store.settings.set("evaluation", EvaluationSettings(network=True, limit=5).as_dict())
    page = open_page()
    go_to(page, "Evaluate")
    page.get_by_role("button", name="What is measured").click()
    expect(page.get_by_label("Allow the network")).to_be_checked()
    expect(page.get_by_label("Health of the writing")).not_to_be_checked()
    page.get_by_label("Health of the writing").check()
    expect(page.locator("#evaluate-start")).to_contain_text("--health --limit 5 --network")
    page.get_by_label("Allow the network").uncheck()
    expect(page.locator("#evaluate-start")).not_to_contain_text("--network")


def test_a_models_own_code_runs_only_where_it_is_ticked(open_page: Open, store: Store) -> None:
    page = open_page()
    page.get_by_role("button", name="Use another model").click()
    picker = page.locator("#model-picker")
    picker.get_by_label("Model").fill("/no/such/folder")
    picker.get_by_role("textbox", name="Device cpu").fill("cpu")
    picker.get_by_label("Precision").click()
    page.get_by_role("option", name="float32").click()
    own = picker.get_by_label("Let its own code run")
    own.check()
    picker.get_by_role("button", name="Load").click()
    expect(page.locator("#now")).to_contain_text("no model folder '/no/such/folder'")
    expect(own).not_to_be_checked()
    assert store.settings.model == ModelChoice("/no/such/folder", "cpu", "float32", True)
    picker.get_by_label("Model").fill("")
    picker.get_by_label("Model").press("Enter")
    expect(page.locator("#model-card")).to_contain_text("8 × Llama")
    assert store.settings.model == ModelChoice("builtin", "cpu", "float32")
