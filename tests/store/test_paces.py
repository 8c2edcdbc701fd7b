"""What was measured here foretells the next such work; what was not is never guessed."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.paced import countries, paced_session
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.model.choice import ModelChoice
from workbench.search.scan_settings import ScanSettings
from workbench.search.sweep_settings import SweepSettings
from workbench.store import Store
from workbench.store.amounts import amount_of
from workbench.store.paces import Amount, Paces
from workbench.store.requests import EvaluateRequest, LoadRequest, ScanRequest, SweepRequest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return paced_session(tmp_path)


def scan(units: float) -> Amount:
    return Amount("scan", "", units)


def test_it_is_told_in_proportion_then_on_a_line_and_never_far_from_what_was_measured(
    store: Store,
) -> None:
    paces = Paces(store.folder.parent, store.settings)
    assert paces.seconds(scan(10)) is None
    paces.keep(scan(10), 20.0)
    assert paces.seconds(scan(20)) == pytest.approx(40)
    assert paces.seconds(scan(51)) is None
    assert paces.seconds(scan(1)) is None
    paces.keep(scan(40), 50.0)  # ten seconds, and one for each
    assert paces.seconds(scan(20)) == pytest.approx(30)
    assert paces.seconds(Amount("scan", "otherwise", 10)) is None
    store.settings.choose_model(ModelChoice("another"))
    assert paces.seconds(scan(20)) == pytest.approx(30)  # of the model that it was made for
    assert Paces(store.folder.parent, store.settings).seconds(scan(10)) is None


@pytest.mark.parametrize("taken", ["NaN", "1e999", "-5"])
def test_a_time_that_is_none_foretells_nothing(store: Store, taken: str) -> None:
    paces, kept = Paces(store.folder.parent, store.settings), store.folder.parent / "paces.json"
    paces.keep(scan(10), 20.5)
    kept.write_text(kept.read_text().replace("20.5", taken))
    assert paces.seconds(scan(10)) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": {"b": [["1", 2]]}}'])
def test_a_file_that_cannot_be_read_knows_nothing_and_is_replaced(store: Store, text: str) -> None:
    (store.folder.parent / "paces.json").write_text(text)
    paces = Paces(store.folder.parent, store.settings)
    assert paces.seconds(scan(10)) is None
    paces.keep(scan(10), 20.0)
    assert paces.seconds(scan(10)) == pytest.approx(20)


def test_more_facts_layers_and_questions_are_more_work(store: Store) -> None:
    def units(request: ScanRequest | SweepRequest | EvaluateRequest) -> float:
        found = amount_of(store, request)
        assert found is not None
        return found.units

    base, sweep = EvaluateRequest(None), SweepRequest(SweepSettings())
    store.facts.add(countries(20), "file")
    before = [units(request) for request in (ScanRequest(), base, sweep)]
    few = SweepRequest(SweepSettings(layers=(1,), modules=("mlp.down_proj",)))
    assert units(few) < units(sweep)
    store.facts.add(countries(40), "file")
    after = [units(request) for request in (ScanRequest(), base, sweep)]
    assert all(more > less for more, less in zip(after, before, strict=True))
    assert units(base) == pytest.approx(2 * before[1], rel=0.05)
    assert units(ScanRequest(ScanSettings(sample=20))) == before[0]


def test_only_alike_work_is_compared(store: Store) -> None:
    def about(settings: EvaluationSettings) -> str:
        found = amount_of(store, EvaluateRequest(None, settings))
        assert found is not None
        return found.about

    plain = EvaluationSettings()
    assert about(plain) == about(replace(plain, seed=3))
    assert about(plain) != about(replace(plain, health=True))
    assert amount_of(store, LoadRequest()) is None
    assert amount_of(store, SweepRequest(SweepSettings(budget=60.0))) is None  # takes just that
