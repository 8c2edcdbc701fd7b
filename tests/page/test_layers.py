"""The Layers tab in a real browser: scan, sweep, and the ways to choose a place."""

import re

from playwright.sync_api import Page, expect

from tests.page.conftest import PATIENCE, Open, go_to, job_done
from workbench.search.recommend import recommend
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.store.library import add_samples
from workbench.work.colours import THEMES

expect.set_options(timeout=PATIENCE)

SHORT = SweepSettings(layers=(5, 6, 7), modules=("mlp.down_proj",), sample=6, epochs=2, full_runs=0)
LONG = SweepSettings(sample=12, epochs=5, batch_size=2, modules=("all",), full_runs=0)
STAGED = SweepSettings(layers=(7,), sample=8, epochs=12, full_runs=1)
TWO = SweepSettings(layers=(6, 7), modules=("mlp.down_proj",), sample=4, epochs=1, full_runs=0)


def open_layers(open_page: Open, store: Store, settings: SweepSettings = SHORT) -> Page:
    add_samples(store)
    store.settings.set("sweep", settings.as_dict())
    page = open_page()
    expect(page.locator("#model-card")).to_contain_text("layers")
    go_to(page, "Layers")
    return page


def test_a_scan_colours_the_places_and_the_keyboard_chooses_one(
    open_page: Open, store: Store
) -> None:
    page = open_layers(open_page, store)
    page.get_by_role("button", name="Scan every matrix").click()
    job_done(store, "scan")
    expect(page.locator("#scan-note")).to_contain_text("A scan ranks no locations")
    first = page.locator('#layer-grid [data-at="0.self_attn.q_proj"]')
    expect(first).to_have_accessible_name(re.compile(r"^0\.self_attn\.q_proj, pull .*, overlap "))
    expect(page.locator("#layer-grid button[tabindex='0']")).to_have_count(1)
    first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#layer-grid .heat-said")).to_contain_text("2.self_attn.k_proj, pull")
    page.keyboard.press("Enter")
    expect(page.locator("#location-card h2")).to_contain_text("2.self_attn.k_proj")
    chosen = page.locator('#layer-grid [data-at="2.self_attn.k_proj"]')
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(chosen).to_be_focused()
    go_to(page, "Edit")
    expect(page.locator("#same-command")).to_contain_text("--at 2.self_attn.k_proj")


def test_a_sweep_recommends_and_the_recommendation_is_used(open_page: Open, store: Store) -> None:
    page = open_layers(open_page, store)
    page.get_by_role("button", name="Sweep the layers").click()
    job_done(store, "sweep")
    expect(page.get_by_role("button", name="Sweep again")).to_be_visible()
    expect(page.locator("#sweep-plot .js-plotly-plot")).to_be_visible()
    rows = page.locator("#trials tr")
    expect(rows).to_have_count(4)
    # With the keyboard alone: the last of the trials, then what is recommended.
    last = rows.nth(3).get_by_role("button")
    last.focus()
    page.keyboard.press("Enter")
    expect(rows.nth(3)).to_have_class("chosen")
    use = page.get_by_role("button", name="Use recommended")
    use.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#recommendation")).to_contain_text("It is chosen")
    (at,) = store.settings.edit.at
    expect(page.locator("#recommendation b .mono")).to_have_text(at)
    with page.expect_download() as download:
        page.locator("#sweep-bar").get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("at,layer,module,learning_rate") and len(lines) == 4
    with page.expect_download() as download:
        page.locator("#sweep-bar").get_by_role("button", name="PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as download:
        page.locator("#sweep-bar").get_by_role("link", name="HTML").click()
    written = download.value.path().read_text()
    assert "plotly" in written and not re.search(r'<script[^>]+src="http', written)
    expect(page.locator(f'#layer-grid [data-at="{at}"]')).to_have_accessible_name(
        re.compile("score of the sweep")
    )
    page.emulate_media(color_scheme="dark")
    ground = "document.querySelector('#sweep-plot .js-plotly-plot')?.layout.paper_bgcolor"
    page.wait_for_function(f"{ground} === '{THEMES['dark'].card}'")
    # Nor is it drawn in the other colours after that.
    page.wait_for_timeout(1500)
    assert page.evaluate(ground) == THEMES["dark"].card


def test_a_sweep_goes_on_after_a_refresh_and_after_a_cancel(open_page: Open, store: Store) -> None:
    page = open_layers(open_page, store, LONG)
    page.get_by_role("button", name="Sweep the layers").click()
    expect(page.locator("#trials tr").nth(1)).to_be_visible()
    page.reload()
    go_to(page, "Layers")
    expect(page.locator("#trials tr").nth(2)).to_be_visible()
    page.locator("#sweep-bar").get_by_role("button", name="Cancel").click()
    go_on = page.get_by_role("button", name=re.compile(r"Go on \(\d+ of 56\)"))
    expect(go_on).to_be_visible()
    done = len(store.profiles.sweeps("builtin")[0].rows)
    go_on.click()
    expect(page.locator("#trials tr").nth(done + 1)).to_be_visible()
    page.locator("#sweep-bar").get_by_role("button", name="Cancel").click()
    expect(go_on).to_be_visible()
    newest, first = store.profiles.sweeps("builtin")
    assert newest.plan.kept == len(first.rows) == done
    assert newest.rows[:done] == first.rows


def test_a_full_run_is_shown_apart_and_the_recommendation_rests_on_it(
    open_page: Open, store: Store
) -> None:
    page = open_layers(open_page, store, STAGED)
    page.get_by_role("button", name="Sweep the layers").click()
    job_done(store, "sweep")
    expect(page.get_by_role("button", name="Sweep again")).to_be_visible()
    (sweep,) = store.profiles.sweeps("builtin")
    full = [row for row in sweep.rows if row.limit > 12]
    assert full and len(sweep.rows) == 7 + len(full)
    parts = page.locator("#trials th.part")
    expect(parts).to_have_text(["Full runs", "Short runs"])
    expect(page.locator("#trials tr")).to_have_count(1 + 2 + len(sweep.rows))
    found = recommend(sweep.rows)
    assert found is not None
    expect(page.locator("#recommendation b .mono")).to_have_text(found.at)
    expect(page.locator("#sweep-note")).to_contain_text("Diamonds: the best once more")
    expect(page.locator("#sweep-plot .js-plotly-plot")).to_be_visible()


def test_two_sweeps_are_laid_over_each_other(open_page: Open, store: Store) -> None:
    page = open_layers(open_page, store, TWO)
    page.get_by_role("button", name="Sweep the layers").click()
    job_done(store, "sweep")
    expect(page.get_by_role("button", name="Sweep again")).to_be_visible()
    page.get_by_role("button", name="Settings of the sweep").click()
    expect(page.get_by_label("Epochs of a short run")).to_have_value("1")
    page.get_by_label("Learning rates").fill("0.01")
    page.get_by_label("Learning rates").blur()
    page.get_by_label("Weights of the score").fill("1, 2")
    page.get_by_label("Weights of the score").blur()
    expect(page.locator("#message")).to_contain_text("holds 2 numbers; write three")
    page.get_by_label("Weights of the score").fill("0, 1, 0")
    page.get_by_label("Weights of the score").blur()
    expect(page.locator("#message .notice")).to_have_count(0)
    # In words, they are the same settings: a minute for places and rates, halved again and again.
    page.get_by_role("button", name="about 1 minute").click()
    budget = page.get_by_role("textbox", name=re.compile("^Budget"))
    expect(budget).to_have_value("1min")
    page.get_by_role("button", name="must answer everywhere").click()
    expect(page.get_by_label("Weights of the score")).to_have_value("1, 2, 0.5, 2, 2, 0.5, 0.5")
    page.get_by_label("Learning rates").fill("")
    page.get_by_label("Learning rates").blur()
    while store.settings.of("sweep").learning_rates:  # kept before the next click is made
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Sweep again").click()
    over = page.get_by_label("Sweep laid over it")
    expect(over).to_be_visible()
    over.select_option(index=1)
    plot = page.locator("#sweep-plot")
    expect(plot).to_contain_text("sweep 1")
    expect(plot).to_contain_text("sweep 2")
    (newest, _) = store.profiles.sweeps("builtin")
    assert newest.plan.rungs and len(newest.plan.learning_rates) == 3
    expect(page.locator("#trials th").filter(has_text="rate")).to_be_visible()
    expect(page.locator("#recommendation")).to_contain_text("rate ")
