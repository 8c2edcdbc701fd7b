"""Sessions on the page: named, copied, packed, deleted and brought back, seen by every tab."""

import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open
from workbench.methods.locft_settings import EditSettings
from workbench.store import Library, Store
from workbench.store.library import add_samples

expect.set_options(timeout=PATIENCE)

ENDLESS = EditSettings(epochs=100_000, stop_loss=0.0, skip_loss=0.0, at=("7.mlp.down_proj",))
ATTACK = '<img src=x onerror="window.hacked=1">${window.hacked=1}'


def unfold(page: Page) -> None:
    page.get_by_role("button", name="Rename, copy, export, delete").click()
    expect(page.locator("#session-name")).to_be_visible()


def chosen(page: Page) -> str:
    return str(page.locator("#session-list").input_value())


def test_a_new_name_is_seen_in_the_other_tab(open_page: Open, store: Store) -> None:
    page, other = open_page(), open_page()
    unfold(page)
    page.locator("#session-name").fill(ATTACK)
    page.locator("#session-name").press("Enter")
    expect(other.locator("#session-list option:checked")).to_have_text(ATTACK)
    assert store.settings.name == ATTACK
    assert page.evaluate("window.hacked") is None and other.evaluate("window.hacked") is None


def test_a_copy_is_opened_and_the_original_stays(
    open_page: Open, store: Store, library: Library
) -> None:
    add_samples(store)
    page = open_page()
    unfold(page)
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("#session-name")).to_have_value(f"{store.settings.name} (copy)")
    expect(page.locator("#facts-table tr")).to_have_count(21)
    copy = library.open(chosen(page))
    copy.facts.enable([row.id for row in copy.facts], False)
    assert copy.id != store.id
    assert len(store.facts.enabled()) == 20


def test_an_export_comes_back_as_a_session(
    open_page: Open, store: Store, library: Library, tmp_path: Path
) -> None:
    add_samples(store)
    store.settings.set("name", "Räume: 1/2")
    page = open_page()
    unfold(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == "Räume_ 1_2.zip"
    file = tmp_path / "session.zip"
    download.value.save_as(file)
    before = set(library.ids())
    page.locator("#session-import input[type=file]").set_input_files(file)
    expect(page.locator("#session-list")).not_to_have_value(store.id)
    expect(page.locator("#facts-table tr")).to_have_count(21)
    (new,) = set(library.ids()) - before
    assert chosen(page) == new
    assert library.open(new).settings.name == "Räume: 1/2"
    left = [path.name for path in library.root.iterdir() if path.name.startswith(".copy-")]
    assert left == []
    assert list((library.root / ".uploads").rglob("*.zip")) == []


def test_a_zip_that_is_no_session_is_refused_and_leaves_nothing(
    open_page: Open, store: Store, library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "holiday.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../evil", "x")
    own = (".uploads", "paces.json", "paces.part")  # what a workbench writes by itself
    before = sorted(path.name for path in library.root.iterdir())
    page = open_page()
    unfold(page)
    page.locator("#session-import input[type=file]").set_input_files(file)
    expect(page.locator("#message")).to_contain_text("not a session of the workbench")
    expect(page.locator("#session-list")).to_have_value(store.id)
    after = sorted(path.name for path in library.root.iterdir() if path.name not in own)
    assert after == [name for name in before if name not in own]
    assert list((library.root / ".uploads").rglob("*.zip")) == []


def test_a_deleted_session_can_be_restored_after_a_refresh(
    open_page: Open, store: Store, library: Library
) -> None:
    other = library.create("Rivers")
    add_samples(store)
    page = open_page()
    unfold(page)
    page.get_by_role("button", name="Delete", exact=True).first.click()
    expect(page.locator("#session-list")).not_to_have_value(store.id)
    expect(page.locator(".trash")).to_contain_text(f"Deleted: {store.settings.name}")
    assert store.id not in library.ids() and other.id in library.ids()
    page.reload(wait_until="domcontentloaded")
    page.locator(f'.trash [data-session="{store.id}"]').click()
    expect(page.locator("#session-list")).to_have_value(store.id)
    expect(page.locator("#facts-table tr")).to_have_count(21)
    expect(page.locator(f'.trash [data-session="{store.id}"]')).to_have_count(0)


def test_a_tab_whose_session_was_deleted_elsewhere_says_so(
    open_page: Open, store: Store, library: Library
) -> None:
    library.create("Rivers")
    page, other = open_page(), open_page()
    unfold(page)
    page.get_by_role("button", name="Delete", exact=True).first.click()
    banner = other.locator("#banner")
    expect(banner).to_contain_text("was deleted in another tab")
    other.get_by_role("button", name="Add the 20 sample facts").first.click()
    expect(other.locator("#message")).to_contain_text("not there any more")
    expect(banner.get_by_role("button", name="Open the latest session")).to_be_visible()
    # What says so leads on as well.
    other.locator("#message").get_by_role("button", name="Open the latest session").click()
    expect(banner).to_be_hidden()
    expect(other.locator("#session-list")).not_to_have_value(store.id)
    expect(other.locator("#facts-table")).to_be_visible()


def test_a_session_in_which_something_runs_is_copied_and_not_deleted(
    open_page: Open, store: Store, library: Library
) -> None:
    add_samples(store)
    job = store.jobs.submit("edit", {"settings": ENDLESS.as_dict()})
    page = open_page()
    expect(page.locator("#now")).to_contain_text("epoch")
    unfold(page)
    expect(page.locator("#session-going")).to_contain_text("can be resumed in it")
    page.get_by_role("button", name="Delete", exact=True).first.click()
    expect(page.locator("#message")).to_contain_text("Cancel it first")
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("#session-list")).not_to_have_value(store.id)
    assert library.open(chosen(page)).runs.get(1).state == "interrupted"
    assert store.jobs.get(job).state == "running"
    store.jobs.cancel(job)
