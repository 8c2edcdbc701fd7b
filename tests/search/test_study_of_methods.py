"""A study of methods: the same facts, ways and budget for each, what each costs, and who wins."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.methods.rivals import quick
from tests.search.test_study import kept
from tests.search.test_study_result import trial
from workbench.errors import PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.measure.report.markdown import study_markdown
from workbench.measure.report.study import study_html
from workbench.methods.base import METHODS, Method
from workbench.methods.edit import edit
from workbench.methods.onto import Onto, start_run
from workbench.model.language_model import LanguageModel
from workbench.search.arms import Arm
from workbench.search.rivals import frontier
from workbench.search.study import Study
from workbench.search.study_events import KEPT, StudyStarted, TrialDone
from workbench.search.study_result import StudyResult
from workbench.search.study_settings import StudySettings
from workbench.search.taking_up import taking_up, weights_changed
from workbench.work.events import Event, follow

SETTINGS = StudySettings(
    kind="methods",
    passes=2,
    at_a_time=3,
    strengths=(1.0,),
    methods=("locft-bf", "ultraedit", "ft-m"),
    locft_at="2.mlp.down_proj",
)


def studied(model: LanguageModel, facts: Sequence[Fact], **own: Any) -> list[Event]:
    return list(Study(model, facts, replace(SETTINGS, **own)).events())


@pytest.mark.slow
def test_every_method_takes_up_the_same_facts_in_every_way_that_differs_for_it(
    model: LanguageModel, facts: list[Fact]
) -> None:
    settings = replace(SETTINGS, facts=4, at_a_time=2)
    events = list(Study(model, facts, settings).events())
    trials = [event for event in events if isinstance(event, TrialDone)]
    assert [(t.label, t.at) for t in trials] == [
        ("LocFT-BF, one by one", "2.mlp.down_proj"),
        ("UltraEdit, one by one", trials[1].at),
        ("FT-M, one by one", "2.mlp.down_proj"),
        ("LocFT-BF, in batches of 2", "2.mlp.down_proj"),
        ("UltraEdit, in batches of 2", trials[1].at),
        ("LocFT-BF, all at once", "2.mlp.down_proj"),
        ("UltraEdit, all at once", trials[1].at),
    ]
    assert {t.passes for t in trials} == {2} and all(t.memory_bytes and t.weights for t in trials)
    assert [t.first for t in trials] == [4, 4, 4, 4, 4, 0, 0]
    started = events[0]
    assert isinstance(started, StudyStarted)
    assert "4 facts; at most 2 passes over each, or steps for it, in every arm" in started.sentence
    once = next(t for t in trials if t.label == "LocFT-BF, all at once")
    study = Study(model, facts, settings)
    run = edit(model, study.facts, at=once.at, epochs=2, learning_rate=once.learning_rate)
    assert (once.loss, once.steps) == (run.losses[-1], run.finished.steps)
    again = [Event.from_dict(event.as_dict()) for event in trials]
    assert (
        StudyResult.of(study.settings, again).rows()
        == StudyResult.of(study.settings, trials).rows()
    )
    part = kept(list(Study(model, facts, settings, done=trials[:5]).events()))
    assert part == kept(list(trials))[5:]


def test_facts_in_sequence_are_written_into_the_weights_that_those_before_left(
    model: LanguageModel, facts: list[Fact]
) -> None:
    """By one run where the method goes so by itself, else by runs on top of each other."""
    own = METHODS["ultraedit"].settings.from_dict({"step": 1e-2})
    made = follow(taking_up(model, facts, METHODS["ultraedit"], own, 3))
    assert made is not None
    alone = edit(model, facts, method="ultraedit", step=1e-2, facts_at_once=3).patch
    assert all(torch.equal(made.patch.tensors[n], new) for n, new in alone.tensors.items())

    locft = METHODS["locft-bf"]
    how = locft.settings.from_dict({"epochs": 3, "at": ("2.mlp.down_proj",), "batch_size": 2})
    made = follow(taking_up(model, facts, locft, how, 4, rehearsed=0))
    assert made is not None
    first = edit(model, facts[:4], how).patch
    run = start_run(locft, model, facts[4:], how, Onto(first, (), "continue"))
    list(run.events())
    (name,) = made.patch.tensors
    assert torch.equal(made.patch.tensors[name], run.weights[name])
    assert made.patch.metadata["facts"] == 7 and "onto" not in made.patch.metadata
    changed = int((made.patch.tensors[name] != model.tensor(name)).sum())
    assert weights_changed(model, made.patch) == changed > 0


def test_what_becomes_of_the_first_facts_is_asked_after_their_turn_and_at_the_end(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third answer takes the place of the first: it was learned, and is gone."""
    monkeypatch.setattr("workbench.search.taking_up.FIRST", 2)
    sequence = [facts[0], facts[1], replace(facts[0], target_new="Oslo")]
    ft = METHODS["ft-m"]
    how = ft.settings.from_dict({"steps": 80, "learning_rate": 5e-3, "at": ("3.mlp.down_proj",)})
    made = follow(taking_up(model, sequence, ft, how, 1))
    assert made is not None
    assert made.first == 2 and made.then == 1.0 and made.now <= 0.5


def test_a_method_that_cannot_be_run_is_left_out_with_the_reason(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(*args: object, **known: object) -> None:
        raise SettingsError("UltraEdit needs what is not installed.")

    monkeypatch.setattr("workbench.methods.ultraedit.UltraEditRun.__init__", missing)
    quick("memit", tmp_path, monkeypatch)
    events = studied(model, facts[:2], methods=("ft-m", "ultraedit"), modes=("each",))
    result = StudyResult.of(SETTINGS, [event for event in events if isinstance(event, KEPT)])
    assert [row["label"] for row in result.rows()] == ["FT-M, one by one"]
    (said,) = [line for line in result.sentences() if "Left out" in line]
    assert said == "Left out: UltraEdit, one by one. UltraEdit needs what is not installed."


def test_a_setting_that_cannot_be_run_is_named_and_the_others_are_compared_and_examined(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = METHODS["ft-m"].start

    def fails(self: Method, model: LanguageModel, facts: Any, settings: Any, **more: Any) -> Any:
        if settings.learning_rate == first:
            raise PatchError("It is infinite.")
        return started(model, facts, settings, **more)

    how: dict[str, Any] = {"methods": ("ft-m",), "modes": ("each",), "strengths": (1.0, 0.3, 3.0)}
    first = model.preset.learning_rate
    monkeypatch.setattr(Method, "start", fails)
    examined: list[str] = []

    def examine(self: Study, arm: Arm, where: str) -> Iterator[Event]:
        examined.append(arm.label)
        yield from ()

    monkeypatch.setattr(Study, "_examine", examine)
    monkeypatch.setattr("workbench.search.study.harness_version", lambda: "0.4")
    events = studied(model, facts[:2], capability=("builtin",), **how)
    trials = [event for event in events if isinstance(event, TrialDone)]
    assert [t.learning_rate for t in trials] == pytest.approx([0.3 * first, 3 * first])
    result = StudyResult.of(SETTINGS, events)
    assert f"Left out: FT-M, one by one, rate {first:g}. It is infinite." in result.sentences()
    assert examined == ["FT-M, one by one"]


@pytest.mark.parametrize("method", ["ultraedit", "ft-m", "locft-bf"])
def test_the_seconds_of_a_method_are_without_those_in_which_the_first_facts_are_asked(
    model: LanguageModel, facts: list[Fact], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it takes up facts: methods that go on by themselves are asked in between."""
    clock = [0.0]

    def asked(*args: object) -> int:
        clock[0] += 1000
        return 0

    monkeypatch.setattr("workbench.search.taking_up._right", asked)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    how = METHODS[method].settings.from_dict({})
    if method != "ultraedit":
        known = "steps" if method == "ft-m" else "epochs"
        how = METHODS[method].settings.from_dict({known: 2, "at": ("2.mlp.down_proj",)})
    made = follow(taking_up(model, facts[:3], METHODS[method], how, 1))
    assert made is not None and clock[0] >= 4000
    assert made.seconds == 0


def rival(method: str, reliability: float, seconds: float, **more: Any) -> TrialDone:
    name = METHODS[method].name
    found = trial(f"{name}, one by one", reliability, 0.5)
    return replace(found, method=method, mode="each", seconds=seconds, **more)


def test_winners_are_named_with_their_intervals_and_costs_stand_in_table_and_picture() -> None:
    trials = (
        rival("locft-bf", 1.0, 9.0, memory_bytes=10**7, first=5, first_then=1.0, first_now=0.8),
        rival("memit", 0.9, 3.0, memory_bytes=10**8, tried="usual_weight"),
        rival("ft", 0.2, 4.0, memory_bytes=10**7),
    )
    result = StudyResult(SETTINGS, trials, (), None, ())
    winners, line, first = result.sentences()
    assert winners.startswith("One by one: reliability: LocFT-BF 1.00 (1.00–1.00), clearly;")
    assert "locality, answer unchanged: all alike at 0.50" in winners
    assert "seconds: MEMIT 3.0; memory: LocFT-BF 10.0 MB." in winners
    assert "MEMIT, one by one (70 of 100 in 3.0 s); LocFT-BF, one by one (75" in line
    assert first.endswith("LocFT-BF, one by one 1.00, then 0.80.")
    record = result.record("tiny", "7 facts.")
    assert [row["pareto"] for row in record["rows"]] == [True, True, False]
    html = study_html(record)
    assert html.count("<title>") == 4 and "usual weight 0.001" in html and "100.0 MB" in html
    assert "| 1.00, 0.80 |" in study_markdown(record)


def test_the_pareto_line_holds_what_nothing_beats_in_both() -> None:
    points = [(1.0, 0.5), (2.0, 0.4), (3.0, 0.9), (3.0, 0.8), (9.0, 0.9)]
    rows = [{"seconds": seconds, "score": score} for seconds, score in points]
    assert frontier(rows) == [0, 2] and frontier([]) == []


@pytest.mark.parametrize(
    "wrong",
    [{"modes": ("twice",)}, {"strengths": (0.0,)}, {"at_a_time": 0}, {"rehearsed": -1}],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        replace(SETTINGS, **wrong)
