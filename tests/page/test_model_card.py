"""The choice of a model: what is offered, what it will take, and that only Load loads."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import byte_tokenizer, tiny_network
from tests.page.conftest import PATIENCE, Open, job_done
from workbench.model.choice import ModelChoice
from workbench.model.needs import Need
from workbench.model.offers import Offers
from workbench.page.sidebar.model_card import draw_need, draw_offers, free_on
from workbench.store import Library, Store
from workbench.store.status import WorkerStatus

expect.set_options(timeout=PATIENCE)


def test_the_list_is_grouped_with_sizes_of_what_is_fetched() -> None:
    found = Offers(("builtin",), ("lab/small",), ("/home/me/model",))
    html = draw_offers(found, "", {"lab/small": 2_000_000_000})
    assert '<option value="builtin" selected>built-in</option>' in html
    assert "lab/small · 2.0 GB" in html
    assert [label in html for label in ("On this machine", "Used before", "From the hub")] == [
        True
    ] * 3
    empty = draw_offers(Offers(("builtin",), (), ()), "", {})
    assert "From the hub" not in empty and "Used before" not in empty


def test_a_name_that_is_not_in_the_list_is_not_shown_as_another() -> None:
    html = draw_offers(Offers(("builtin",), (), ()), "lab/else<b>", {})
    assert "another, written below" in html
    assert html.count("selected") == 1
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("need", "free", "said"),
    [
        (Need("here", 1_000_000), 9_000_000_000, "of 9.0 GB free on the CPU"),
        (Need("here", 1_000_000), 9_000_000_000, "The network is not asked."),
        (Need("cached", 1_000_000), 9_000_000_000, "only asked whether there are newer ones"),
        (Need("hub", 1_000_000, download=2_000_000), 10**9, "2.0 MB are fetched once"),
        (Need("hub", download=None), 10**9, "known once the hub has told its size"),
        (Need("here", 1_000_000_000), 10**9, "where only 1.0 GB are free"),
        (Need("here", 1_000_000, origin="GGUF Q4_1, dequantized"), 10**9, "Made from GGUF Q4_1"),
        (Need("nowhere", problem="There is no <b>."), 10**9, "There is no &lt;b&gt;."),
    ],
    ids=["memory", "here", "cached", "hub", "unknown", "short", "gguf", "problem"],
)
def test_what_a_model_will_take_is_said_in_words(need: Need, free: int, said: str) -> None:
    html = draw_need(need, "cpu", free)
    assert said in html
    warned = need.problem or (need.memory or 0) > free
    assert ('class="need short"' in html) == bool(warned)


def test_a_model_that_does_not_fit_says_what_is_done_about_it() -> None:
    need = Need("here", 1_000_000_000)
    html = draw_need(need, "cpu", 9_000_000_000, 2_000_000_000)
    assert "with 9.0 GB free, holds at most 2.0 GB" in html
    assert "are read from its files as they are needed" in html
    assert "as they are needed" in draw_need(need, "cpu", 10**9)
    packed = Need("here", 1_000_000_000, origin="GGUF F16", by_layers=False)
    assert "is not read layer by layer" in draw_need(packed, "cpu", 10**9)


def test_what_the_present_model_gives_back_counts_as_free() -> None:
    status = WorkerStatus(1, "idle", device="cuda:0", free=10, held=7, held_on="cuda:0")
    assert free_on("cuda:0", status) == 17
    assert free_on("cuda:1", status) is None
    assert free_on("cuda:0", None) is None
    assert (free_on("cpu", None) or 0) > 0


def choose(page: Page, name: str) -> None:
    page.locator("#offered-models").select_option(name)
    expect(page.locator("#model-picker textarea").first).to_have_value(name)


@pytest.mark.parametrize("width", [1440, 420])
def test_a_folder_used_before_is_chosen_weighed_and_loaded(
    open_page: Open, store: Store, library: Library, tmp_path: Path, width: int
) -> None:
    folder = tmp_path / f"tiny model {width}"
    tiny_network("Llama").save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    other = library.create("Earlier")
    other.settings.choose_model(ModelChoice(str(folder)))
    other.settings.choose_model(ModelChoice())
    page = open_page(viewport={"width": width, "height": 900})
    expect(page.locator("#model-card")).to_contain_text("8 × Llama")
    before = store.jobs.latest("load")
    if width == 420:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Use another model").click()
    need = page.locator("#model-need")
    expect(need).to_contain_text("30.4 MB")
    choose(page, "Qwen/Qwen2.5-1.5B-Instruct")
    expect(need).to_contain_text("6.2 GB")
    choose(page, str(folder))
    expect(need).to_contain_text("The network is not asked.")
    expect(need).not_to_contain_text(re.compile(r"\b6\.2 GB"))
    box = page.locator("#offered-models").bounding_box()
    assert box is not None and box["x"] + box["width"] <= width
    latest = store.jobs.latest("load")
    assert (latest and latest.id) == (before and before.id)
    page.locator("#load-model").click()
    expect(page.locator("#model-card")).to_contain_text("4 × Llama")
    assert job_done(store, "load", before.id if before else 0).state == "done"
    assert store.settings.model.name == str(folder)


def test_a_folder_that_is_not_there_is_told_before_it_is_asked_for(
    open_page: Open, store: Store
) -> None:
    page = open_page()
    page.get_by_role("button", name="Use another model").click()
    expect(page.locator("#model-need")).to_contain_text("30.4 MB")
    page.locator("#model-picker textarea").first.fill("/nowhere/at/all")
    expect(page.locator("#model-need")).to_contain_text("There is no model folder")
    expect(page.locator("#offered-models")).to_contain_text("another, written below")
