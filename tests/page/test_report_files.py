"""What a session's report says about its run."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.test_recommend import row
from tests.summary import SUMMARY
from workbench.methods.locft_settings import EditSettings
from workbench.model.presets import Preset
from workbench.page.evaluate.files import reason_for_location
from workbench.search.sweep_events import LocationDone, SweepStarted
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Library, Store

PRESET = Preset("builtin", ("6.mlp",), 0.005, "measured here")
PLAN = SweepStarted(("5.mlp", "6.mlp"), (0.005,), 0, 20, 20, 2, 5, 20, 20, 16, 16)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Library(tmp_path).create("test")
    store.settings.keep_summary(replace(SUMMARY, preset=PRESET))
    return store


def keep_sweep(store: Store, *rows: LocationDone) -> None:
    job = store.jobs.submit("sweep", {})
    store.profiles.begin_sweep(job, "builtin", SweepSettings(), {"a": job}, PLAN, list(rows))


def begin(store: Store, at: str) -> int:
    settings = replace(EditSettings(), at=(at,))
    return store.runs.begin(store.jobs.submit("edit"), "builtin", settings, [])


def why(store: Store, at: str) -> str:
    return reason_for_location(store, store.runs.get(begin(store, at)))


def test_a_location_that_a_sweep_recommended_is_said_to_be_so(store: Store) -> None:
    assert why(store, "5.mlp") == "Chosen by hand."
    assert why(store, "6.mlp") == "The preset 'builtin': measured here."
    keep_sweep(store, row("5.mlp", 1.0, 1.0, 1.0), row("6.mlp", 0.5, 0.5, 0.5))
    assert why(store, "5.mlp").startswith("Recommended by sweep 1: 5.mlp scores 100 of 100")
    assert why(store, "6.mlp") == "The preset 'builtin': measured here."
    keep_sweep(store, row("6.mlp", 1.0, 1.0, 1.0))
    found = why(store, "6.mlp")
    assert found.startswith("Recommended by sweep 2: 6.mlp") and "The preset 'builtin'" in found


def test_a_sweep_after_the_run_is_no_reason_for_it(store: Store) -> None:
    run = begin(store, "5.mlp")
    keep_sweep(store, row("5.mlp", 1.0, 1.0, 1.0))
    assert reason_for_location(store, store.runs.get(run)) == "Chosen by hand."
