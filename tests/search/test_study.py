"""Studies: the paper's experiments with equal budgets, resumable, and told in one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from workbench.errors import FactsError, LocationError, PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.measure.evaluate import Examiner, evaluate
from workbench.measure.report.study import study_table
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.search.study import Study
from workbench.search.study_events import (
    KEPT,
    LocationChosen,
    StudyFinished,
    StudyStarted,
    StudyStopped,
    TrialDone,
)
from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_events import LocationDone
from workbench.work.events import Event
from workbench.work.keeper import FolderKeeper
from workbench.work.stop import Stop

pytestmark = pytest.mark.slow

SETTINGS = StudySettings(
    passes=3, learning_rates=(1e-3, 1e-2), at="1.mlp.down_proj", locft_at="2.mlp.down_proj"
)


def kept(events: list[Event]) -> list[Event]:
    """What is kept, with its times taken out."""
    return [
        replace(e, seconds=0.0) if isinstance(e, TrialDone) else e
        for e in events
        if isinstance(e, KEPT)
    ]


@pytest.fixture(scope="module")
def whole() -> list[Event]:
    """What an unbroken study says; it leaves its model as it was."""
    model = prepare("tiny Llama", tiny_network("Llama"), byte_tokenizer())
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    events = list(Study(model, facts_to_learn(), SETTINGS).events())
    for name, weight in model.network.named_parameters():
        assert (weight == before[name]).all()
    return events


def test_every_arm_has_the_same_budget_and_every_rate(whole: list[Event]) -> None:
    events = whole
    assert isinstance(events[0], StudyStarted) and isinstance(events[-1], StudyFinished)
    trials = [event for event in events if isinstance(event, TrialDone)]
    labels = list(dict.fromkeys(trial.label for trial in trials))
    assert labels == [
        "depth-first sample-wise",
        "depth-first mini-batch",
        "breadth-first sample-wise",
        "breadth-first mini-batch",
        "LocFT-BF",
    ]
    assert {(trial.label, trial.learning_rate) for trial in trials} == {
        (label, rate) for label in labels for rate in (1e-3, 1e-2)
    }
    assert {trial.passes for trial in trials} == {3}
    assert {t.at for t in trials if t.label == "LocFT-BF"} == {"2.mlp.down_proj"}
    assert {t.at for t in trials if t.label != "LocFT-BF"} == {"1.mlp.down_proj"}


def test_a_trial_is_a_run_and_its_evaluation(
    model: LanguageModel, facts: list[Fact], whole: list[Event]
) -> None:
    study = Study(model, facts, SETTINGS)
    trials = [event for event in whole if isinstance(event, TrialDone)]
    last = trials[-1]
    run = edit(
        model,
        study.facts,
        at=last.at,
        learning_rate=last.learning_rate,
        batch_size=last.batch_size,
        epochs=3,
    )
    after = evaluate(model, study.facts, run.patch).measured["after"]
    assert {name: number.as_dict() for name, number in after.items()} == last.after
    assert last.steps == run.finished.steps


def test_a_stopped_study_goes_on_to_the_same_results(
    model: LanguageModel, facts: list[Fact], tmp_path: Path, whole: list[Event]
) -> None:
    unbroken = kept(whole)
    study = Study(model, facts, SETTINGS)
    file = FolderKeeper(tmp_path, "study", KEPT, StudySettings)
    assert list(file.recall(study.identity())) == []
    for event in study.events():
        file.take(event)
        if len(file.events) == 4:
            study.stop.ask()
    assert isinstance(event, StudyStopped) and event.done == 4
    with (tmp_path / "study.jsonl").open("a") as out:
        out.write('{"event": "TrialDo')
    again = FolderKeeper(tmp_path, "study", KEPT, StudySettings).recall(study.identity())
    assert len(again) == 4
    study = Study(model, facts, SETTINGS, done=again)
    rest = [event for event in study.events() if isinstance(event, KEPT)]
    assert len(rest) == len(unbroken) - 4
    assert kept([*again, *rest]) == unbroken
    settings = StudySettings.from_yaml(tmp_path / "study.yaml")
    assert Study(model, facts, settings).identity() == study.identity()


def test_a_study_ends_also_in_the_middle_of_its_questions(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    examining, before = Examiner.examining, model.network.state_dict()
    before = {name: weight.clone() for name, weight in before.items()}

    def stopped_then(self: Examiner, patch: Patch | None = None, *, stop: Stop) -> object:
        stop.ask()
        return examining(self, patch, stop=stop)

    monkeypatch.setattr(Examiner, "examining", stopped_then)
    last = list(Study(model, facts, SETTINGS).events())[-1]
    assert isinstance(last, StudyStopped) and last.done == 0
    assert all((weight == before[n]).all() for n, weight in model.network.state_dict().items())


def test_a_folder_of_another_study_is_refused(
    model: LanguageModel, facts: list[Fact], tmp_path: Path
) -> None:
    study = Study(model, facts, SETTINGS)
    file = FolderKeeper(tmp_path, "study", KEPT, StudySettings)
    file.recall(study.identity())
    file.take(LocationChosen("1", "for this test"))
    other = Study(model, facts[:3], SETTINGS)
    with pytest.raises(PatchError, match="facts, settings differ"):
        FolderKeeper(tmp_path, "study", KEPT, StudySettings).recall(other.identity())


def test_without_a_place_for_locft_a_sweep_recommends_one(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.search.sweep_settings.automatic_sweep_epochs", lambda *_: 2)
    monkeypatch.setattr("workbench.search.trials.automatic_epochs", lambda *_: 4)
    settings = replace(SETTINGS, locft_at="", learning_rates=(1e-2,))
    events = kept(list(Study(model, facts, settings).events()))
    swept = [event for event in events if isinstance(event, LocationDone)]
    (chosen,) = [event for event in events if isinstance(event, LocationChosen)]
    assert chosen.at in {row.at for row in swept}
    assert len({row.at.split(".")[0] for row in swept}) == model.layer_count
    assert {e.at for e in events if isinstance(e, TrialDone) and e.label == "LocFT-BF"} == {
        chosen.at
    }
    assert [Event.from_dict(json.loads(json.dumps(event.as_dict()))) for event in events] == events


def test_a_scale_study_takes_ten_times_more_until_all_facts(
    model: LanguageModel, facts: list[Fact]
) -> None:
    many = [replace(fact, prompt=f"{fact.prompt} {n}:") for n in range(2) for fact in facts]
    settings = replace(SETTINGS, kind="scale", learning_rates=(1e-2,))
    study = Study(model, many, settings)
    trials = [event for event in study.events() if isinstance(event, TrialDone)]
    assert [trial.facts for trial in trials] == [10, 14]
    result = StudyResult.of(study.settings, trials)
    assert result.sentences()[0].startswith("From 10 to 14 facts: reliability")
    assert "per million tuned weights" in result.sentences()[1]
    weights = sum(w.numel() for w in model.weights_at(parse_locations((trials[0].at,))).values())
    dense = [row["density"] for row in result.rows()]
    assert dense == [pytest.approx(1e6 * facts / weights) for facts in (10, 14)]
    table = study_table(result.record("tiny", ""))
    assert "<svg" in table and "10 facts, " in table and "per million tuned weights" in table


def test_a_study_trains_in_the_forms_that_it_names_and_only_then_is_another_one(
    model: LanguageModel, facts: list[Fact]
) -> None:
    how: dict[str, Any] = {"recipe": "holds", "forms": ("question", "raw:2"), "keep": 0.0}
    settings = replace(SETTINGS, kind="scale", learning_rates=(1e-2,), **how)
    study = Study(model, facts, settings)
    events = list(study.events())
    assert isinstance(events[0], StudyStarted)
    assert "Trained with recipe holds; forms raw:2, question; keep 0.0." in events[0].sentence
    (trial,) = [event for event in events if isinstance(event, TrialDone)]
    run = edit(
        model,
        study.facts,
        at="2.mlp.down_proj",
        learning_rate=1e-2,
        batch_size=trial.batch_size,
        epochs=3,
        recipe="holds",
        forms=("raw:2", "question"),
        keep=0.0,
    )
    assert trial.loss == run.losses[-1]
    identity, usual = study.identity(), Study(model, facts, SETTINGS).identity()
    assert identity["trained"]["rate_schedule"] == "falling"
    assert "trained" not in usual and not {"recipe", "forms", "keep"} & usual["settings"].keys()
    again = StudySettings.from_dict(identity["settings"])
    assert Study(model, facts, again).identity() == identity
    wrongs: list[dict[str, Any]] = [{"recipe": "best"}, {"forms": ("sung",)}, {"keep": -1.0}]
    for wrong in wrongs:
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            replace(SETTINGS, **wrong)


def test_a_study_of_locations_tries_every_matrix(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.search.sweep_settings.automatic_sweep_epochs", lambda *_: 2)
    settings = StudySettings(kind="locations", facts=2)
    study = Study(model, facts, settings)
    places = []
    for event in study.events():
        if isinstance(event, LocationDone):
            places.append(event.at)
            if len(places) == 3:
                study.stop.ask()
    assert isinstance(event, StudyStopped)
    assert places == [f"0.{name}" for name in model.layers.matrices()[:3]]


def test_what_cannot_be_studied_is_said_before_anything_is_done(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    model = make_model()
    with pytest.raises(FactsError, match="no facts to study"):
        Study(model, [], SETTINGS)
    with pytest.raises(LocationError):
        Study(model, facts, replace(SETTINGS, at="77"))
