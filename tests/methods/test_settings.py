"""Settings: checked when made, filled in from a preset, the same after a trip through JSON."""

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import LocationError, SettingsError
from workbench.methods.locft_settings import EditSettings, automatic_batch_size, automatic_epochs
from workbench.model.presets import Preset

PRESET = Preset("a model", at=("6.mlp.down_proj",), learning_rate=5e-3, source="a test")


@pytest.mark.parametrize("value", [0, -1, 1.5, "10", True, float("nan")])
@pytest.mark.parametrize("name", ["batch_size", "epochs", "micro_batch_size"])
def test_a_count_must_be_a_whole_number_above_zero(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is "):
        EditSettings(**{name: value})


@pytest.mark.parametrize("value", [0, -1e-3, float("nan"), float("inf"), "fast", True])
def test_the_learning_rate_must_be_a_number_above_zero(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"^learning_rate is "):
        EditSettings(learning_rate=value)


@pytest.mark.parametrize("name", ["skip_loss", "stop_loss"])
def test_a_loss_floor_may_be_zero_but_not_below(name: str) -> None:
    assert getattr(EditSettings.from_dict({name: 0}), name) == 0
    with pytest.raises(SettingsError, match=f"^{name} is "):
        EditSettings.from_dict({name: -0.1})


@pytest.mark.parametrize("changes", [{"pipeline": "sideways"}, {"seed": -1}, {"seed": 1.0}])
def test_a_wrong_value_names_its_setting(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^{next(iter(changes))} is "):
        EditSettings(**changes)


def test_locations_are_checked_and_brought_into_order() -> None:
    assert EditSettings(at=("7.mlp", "6.mlp")).at == ("6.mlp", "7.mlp")
    with pytest.raises(LocationError):
        EditSettings(at=("6.mlp", "6"))


def test_settings_cannot_be_changed_once_made() -> None:
    with pytest.raises(FrozenInstanceError):
        EditSettings().seed = 1  # type: ignore[misc]


@given(facts=st.integers(1, 200_000))
def test_nothing_is_left_open_after_resolving(facts: int) -> None:
    resolved = EditSettings().resolved(PRESET, facts)
    assert (resolved.at, resolved.learning_rate) == (PRESET.at, PRESET.learning_rate)
    unset = [f.name for f in fields(resolved) if getattr(resolved, f.name) is None]
    assert unset == ["micro_batch_size"]
    assert resolved.resolved(PRESET, 1) == resolved


def test_what_a_person_set_is_kept_when_resolving() -> None:
    mine = EditSettings(
        at=("3",),
        learning_rate=1e-4,
        batch_size=7,
        epochs=2,
        seed=5,
        recipe="holds",
        forms=("raw", "chat:3"),
        keep=0.5,
        keep_share=0.25,
        spare=0.25,
        kept=("text",),
        rate_schedule="constant",
        focus=0.5,
    )
    assert mine.resolved(PRESET, 1000).as_dict() == mine.as_dict()


def test_many_facts_get_the_papers_batch_and_epochs() -> None:
    resolved = EditSettings().resolved(PRESET, 100_000)
    assert (resolved.batch_size, resolved.epochs) == (100, 25)


@given(facts=st.integers(1, 2000))
def test_few_facts_still_get_steps_enough(facts: int) -> None:
    batch_size = automatic_batch_size(facts)
    assert 1 <= batch_size <= max(1, min(facts, 100))
    steps_per_epoch = -(-facts // batch_size)
    assert automatic_epochs(facts, batch_size) * steps_per_epoch >= 100


@given(
    st.builds(
        EditSettings,
        at=st.sampled_from([(), ("6",), ("6.mlp", "7.mlp.down_proj")]),
        learning_rate=st.none() | st.floats(1e-9, 1),
        batch_size=st.none() | st.integers(1, 1000),
        epochs=st.none() | st.integers(1, 1000),
        pipeline=st.sampled_from(["breadth-first", "depth-first"]),
        seed=st.integers(0, 2**31),
    )
)
def test_settings_survive_json(settings: EditSettings) -> None:
    assert EditSettings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


def test_an_unknown_setting_is_named_with_those_that_are_known() -> None:
    with pytest.raises(SettingsError, match=r"Unknown setting speed\. Known: .*batch_size"):
        EditSettings.from_dict({"speed": 3})


def test_every_setting_explains_itself_in_a_sentence() -> None:
    help_texts = EditSettings.help()
    assert list(help_texts) == [field.name for field in fields(EditSettings)]
    assert all(text.endswith(".") and len(text) > 20 for text in help_texts.values())
