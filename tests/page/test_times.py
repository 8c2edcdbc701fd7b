"""What a button says that its work takes: measured here, or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.paced import countries, paced_session
from tests.summary import SUMMARY
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.events import Started
from workbench.page.kit.times import NO_FACT, takes
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.store.amounts import amount_of
from workbench.store.paces import Paces
from workbench.store.requests import (
    EvaluateRequest,
    Request,
    ScanRequest,
    StudyRequest,
    SweepRequest,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return paced_session(tmp_path)


@pytest.mark.parametrize(
    "request_",
    [ScanRequest(), SweepRequest(), StudyRequest(), EvaluateRequest(None)],
    ids=["scan", "sweep", "study", "evaluate"],
)
def test_it_says_what_is_missing_then_nothing_then_what_was_measured(
    store: Store, request_: Request
) -> None:
    assert takes(store, request_) == NO_FACT
    store.facts.add(countries(20), "file")
    assert takes(store, request_) == ""
    amount = amount_of(store, request_)
    assert amount is not None
    Paces(store.folder.parent, store.settings).keep(amount, 42.0)
    assert takes(store, request_) == "about 40 s"


def test_a_sweep_takes_its_budget_and_a_first_one_as_long_as_its_steps(store: Store) -> None:
    store.facts.add(countries(20), "file")
    assert takes(store, SweepRequest(SweepSettings(budget=300.0))) == "about 5 minutes"
    about = store.estimate_key()
    assert about is not None
    plan = Started(20, ("1.mlp.down_proj",), 0.005, 2, 40, 400, 1, 1, kept_from=1)
    store.keep_estimate(RunEstimate(about, plan, seconds=40.0, measured=3))
    shown = takes(store, SweepRequest())
    assert shown.startswith("about ") and shown != takes(
        store, SweepRequest(SweepSettings(budget=1))
    )
    fewer = SweepSettings(layers=(1,), modules=("mlp.down_proj",), full_runs=0)
    store.keep_estimate(RunEstimate(about, plan, seconds=4000.0, measured=3))
    assert takes(store, SweepRequest()) != shown
    assert takes(store, SweepRequest(fewer)) != takes(store, SweepRequest())


def test_what_cannot_be_counted_is_not_told(store: Store) -> None:
    store.facts.add(countries(2), "file")
    store.settings.keep_summary(replace(SUMMARY, layers=2))
    assert takes(store, EvaluateRequest(7)) == ""  # there is no such run
