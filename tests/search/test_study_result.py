"""A study's settings and what it says: reproducible from one YAML, honest about the paper."""

from pathlib import Path

import pytest

from workbench.errors import SettingsError
from workbench.measure.capability_result import Capability, task_result
from workbench.measure.protocols import Measured
from workbench.model.places import Places
from workbench.search.arms import arms
from workbench.search.study_events import ArmExamined, TrialDone
from workbench.search.study_result import StudyResult, score_of
from workbench.search.study_settings import LOCFT, StudySettings, scale_sizes
from workbench.work.events import Event

PLACES = Places(8, {"mlp.down_proj": tuple(range(8))})
SETTINGS = StudySettings().resolved(100, 5e-3, "mlp.down_proj", PLACES)


def test_settings_survive_their_yaml_file_and_carry_a_sentence_each(tmp_path: Path) -> None:
    settings = StudySettings(
        kind="scale", learning_rates=(1e-3, 5e-4), sizes=(10, 50), capability=("builtin",), seed=3
    )
    path = tmp_path / "study.yaml"
    path.write_text(settings.to_yaml(), encoding="utf-8")
    assert StudySettings.from_yaml(path) == settings
    assert path.read_text().count("# ") >= len(StudySettings.help())


def test_rates_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("learning_rates: [1e-3, 0.005]", encoding="utf-8")
    assert StudySettings.from_yaml(path).learning_rates == (1e-3, 5e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("passes: 0", "passes is 0"),
        ("passes: many", "passes is 'many'"),
        ("kind: depth", "kind is 'depth'"),
        ("speed: 3", "Unknown setting speed"),
        ("- 1", "holds no settings"),
        ("a: [", "cannot be read"),
        ("learning_rates: [0.1, -1]", "learning_rates holds -1"),
    ],
)
def test_a_wrong_settings_file_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=words):
        StudySettings.from_yaml(path)


def test_automatic_settings_follow_the_model_and_the_facts() -> None:
    assert SETTINGS.learning_rates == (1.5e-4, 5e-4, 1.5e-3, 5e-3)
    assert (SETTINGS.at, SETTINGS.batch_size, SETTINGS.facts) == ("4.mlp.down_proj", 12, 100)
    found = arms(SETTINGS)
    assert [(arm.pipeline, arm.batch_size, arm.at) for arm in found] == [
        ("depth-first", 1, "4.mlp.down_proj"),
        ("depth-first", 12, "4.mlp.down_proj"),
        ("breadth-first", 1, "4.mlp.down_proj"),
        ("breadth-first", 12, "4.mlp.down_proj"),
        ("breadth-first", 12, ""),
    ]
    assert scale_sizes(1000) == (10, 100, 1000) and scale_sizes(20) == (10, 20)


def trial(label: str, reliability: float, locality: float, rate: float = 1e-3) -> TrialDone:
    def side(**values: float) -> dict[str, dict[str, float]]:
        numbers = [Measured(name, "strict", v, v, v, 100) for name, v in values.items()]
        numbers += [Measured(name, "generated", v, v, v, 100) for name, v in values.items()]
        return {number.name: number.as_dict() for number in numbers}

    return TrialDone(
        label=label,
        at="4.mlp.down_proj",
        learning_rate=rate,
        batch_size=1,
        facts=100,
        passes=25,
        steps=9,
        seconds=1.0,
        loss=0.1,
        before=side(reliability=0.0),
        after=side(reliability=reliability, locality=locality),
    )


def told(**scores: tuple[float, float]) -> StudyResult:
    names = {
        "ds": "depth-first sample-wise",
        "db": "depth-first mini-batch",
        "bs": "breadth-first sample-wise",
        "bb": "breadth-first mini-batch",
        "locft": LOCFT,
    }
    events: list[Event] = [trial(names[name], *values) for name, values in scores.items()]
    return StudyResult.of(SETTINGS, events)


def test_each_arm_is_judged_by_its_best_rate() -> None:
    events = [trial("a", 1.0, 0.2, 1e-2), trial("a", 0.9, 0.8, 1e-3), trial("b", 0.5, 0.5)]
    best = StudyResult.of(SETTINGS, events).best()
    assert best["a"].learning_rate == 1e-3 and score_of(best["a"]) == pytest.approx(0.85)
    assert list(best) == ["a", "b"]


def test_the_sentence_says_that_the_papers_ordering_holds_or_where_it_does_not() -> None:
    holds = told(ds=(0.8, 0.5), db=(0.9, 0.6), bs=(1, 0.8), bb=(1, 0.85), locft=(1, 0.95))
    ordering, headline = holds.sentences()
    assert ordering.startswith("The paper's ordering holds here:")
    assert headline.startswith("Breadth-first mini-batch is ahead of depth-first sample-wise:")
    assert "reliability 1.00 against 0.80 (strict)" in headline
    assert "capability not measured" in headline
    partly = told(ds=(0.8, 0.5), db=(0.9, 0.6), bs=(1, 0.8), bb=(1, 0.85), locft=(1, 0.8))
    ordering, _ = partly.sentences()
    assert "holds in part" in ordering
    assert "does not hold that LocFT-BF at its location beats" in ordering
    against = told(ds=(1, 1), db=(1, 1), bs=(0.5, 1), bb=(0.5, 1), locft=(0.5, 0.5))
    ordering, headline = against.sentences()
    assert ordering.startswith("The paper's ordering does not hold here")
    assert "is not ahead of" in headline


def test_capability_is_told_relative_to_the_base() -> None:
    result = told(ds=(1, 0.5), db=(1, 0.5), bs=(1, 0.6), bb=(1, 0.6), locft=(1, 0.7))
    good = Capability((task_result("t", "acc", [1, 1, 1, 1], [1, 1, 1, 0]),), None, "0.4")
    bad = Capability((task_result("t", "acc", [1, 1, 1, 1], [1, 0, 0, 0]),), None, "0.4")
    examined = (
        ArmExamined("breadth-first mini-batch", 1e-3, good.as_dict()),
        ArmExamined("depth-first sample-wise", 1e-3, bad.as_dict()),
    )
    result = StudyResult(SETTINGS, result.trials, examined, None, ())
    assert result.capability_of("breadth-first mini-batch") == 0.75
    assert "capability kept 75% against 25%" in result.sentences()[-1]
    assert result.rows()[0]["capability_kept"] == 0.25


def test_the_table_is_by_one_protocol_with_the_base_first() -> None:
    table = told(ds=(1, 0.5), db=(1, 0.5)).table("generated")
    assert list(table.rows) == ["base", "depth-first sample-wise", "depth-first mini-batch"]
    assert table.measures == ("reliability", "locality")
    assert {n.protocol for row in table.rows.values() for n in row.values()} == {"generated"}
