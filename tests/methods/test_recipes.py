"""Recipes: what is taken where settings are empty, and what a run then says of itself."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.facts import Fact, Question
from workbench.methods.events import EpochDone
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import RECIPES
from workbench.methods.schedule import Schedule
from workbench.methods.watched import WatchedNeighbours
from workbench.model.language_model import LanguageModel
from workbench.model.presets import Preset, layers_around

CHATTY = Preset(
    "a model",
    at=("6.mlp.down_proj",),
    learning_rate=4e-3,
    source="a test",
    chat=True,
    around=("6.mlp.down_proj", "7.mlp.down_proj", "8.mlp.down_proj"),
)
AT = ("1.mlp.down_proj",)


def facts() -> list[Fact]:
    return [
        Fact(f"The capital of {name} is", f"x{n}", locality_prompts=(Question(f"{name} lies in"),))
        for n, name in enumerate(("Chad", "Peru", "Mali", "Cuba", "Fiji", "Togo"))
    ]


def test_published_is_the_paper_and_holds_answers_everywhere() -> None:
    paper = EditSettings(recipe="published").resolved(CHATTY, 100)
    assert (paper.at, paper.learning_rate) == (CHATTY.at, 4e-3)
    assert (paper.forms, paper.keep, paper.rate_schedule) == (("raw",), 0.0, "constant")
    assert paper.spare == 0
    ours = EditSettings(recipe="holds").resolved(CHATTY, 100)
    assert (ours.at, ours.learning_rate) == (CHATTY.around, 2e-3)
    assert 25 < paper.epochs < ours.epochs < 2 * paper.epochs
    assert {form.split(":")[0] for form in ours.forms} >= {"raw", "question", "chat"}
    assert (
        ours.keep > 0
        and ours.spare > 0
        and "chats" in ours.kept
        and ours.rate_schedule == "falling"
    )


def test_a_model_without_a_template_is_trained_and_kept_without_chats() -> None:
    preset = Preset("a model", at=("6.mlp.down_proj",), learning_rate=4e-3, source="a test")
    ours = EditSettings(recipe="holds").resolved(preset, 100)
    assert "chat" not in " ".join((*ours.forms, *ours.kept))
    assert (ours.at, ours.learning_rate) == (preset.at, 4e-3)


def test_a_place_that_a_person_chose_has_the_presets_rate() -> None:
    ours = EditSettings(recipe="holds", at=("3.mlp.down_proj",)).resolved(CHATTY, 100)
    assert (ours.at, ours.learning_rate) == (("3.mlp.down_proj",), 4e-3)


@pytest.mark.parametrize(
    ("layer", "having", "found"),
    [
        (21, range(30), [21, 22, 23]),
        (6, range(8), [5, 6, 7]),
        (4, (0, 4, 9), [0, 4, 9]),
        (1, (0, 1), [0, 1]),
    ],
)
def test_the_layers_around_one_are_those_after_it_as_far_as_there_are(
    layer: int, having: tuple[int, ...], found: list[int]
) -> None:
    assert layers_around(layer, having) == found


def test_a_model_that_chats_gets_what_holds_unless_its_preset_was_measured() -> None:
    guess = replace(CHATTY, is_guess=True)
    assert EditSettings().resolved(guess, 100) == EditSettings(recipe="holds").resolved(guess, 100)
    for preset in (CHATTY, replace(guess, chat=False)):
        paper = EditSettings(recipe="published").resolved(preset, 100)
        assert EditSettings().resolved(preset, 100) == paper
        assert EditSettings(recipe="holds").resolved(preset, 100).recipe == "holds"


def test_what_an_earlier_version_kept_goes_on_as_published() -> None:
    earlier = EditSettings(seed=3).as_dict()
    for name in ("recipe", "forms", "keep", "kept", "rate_schedule"):
        del earlier[name]
    assert EditSettings.from_dict(earlier).recipe == "published"
    assert EditSettings.from_dict({"seed": 3}).recipe == EditSettings().recipe


def test_a_step_is_reminded_of_fewer_prompts_than_it_has_facts_and_as_strongly(
    model: LanguageModel,
) -> None:
    ours = EditSettings(recipe="holds").resolved(CHATTY, 100)
    assert 0 < ours.keep_share < 1 == EditSettings(keep=1.0).resolved(CHATTY, 100).keep_share
    few, many = (
        LocftRun(model, facts(), EditSettings(at=AT, keep=1.0, keep_share=share))
        for share in (0.5, 2.0)
    )
    for run in (few, many):
        assert run.keep is not None
        list(run.keep.preparing(run.kept_from, None))
    assert tuple(len(run._step.kept_now(5, 0)) for run in (few, many)) == (3, 10)
    with pytest.raises(SettingsError, match="keep_share is"):
        EditSettings(keep_share=0.0)


@pytest.mark.parametrize("pipeline", ["breadth-first", "depth-first"])
def test_a_falling_rate_is_whole_at_first_and_almost_nothing_at_last(pipeline: str) -> None:
    schedule = Schedule(40, 4, 10, pipeline == "depth-first", 0, falling=True)
    epochs = range(1) if schedule.depth_first else range(schedule.epochs)
    places = itertools.product(epochs, range(schedule.batches_per_epoch))
    shares = [schedule.rate_share(*place) for place in places]
    half = len(shares) // 2
    assert set(shares[: half + 1]) == {1.0}
    assert all(before > after > 0 for before, after in itertools.pairwise(shares[half:]))
    assert shares[-1] == pytest.approx(2 / len(shares))


def test_a_falling_rate_makes_smaller_steps(model: LanguageModel) -> None:
    changes = []
    for rate_schedule in ("constant", "falling"):
        settings = EditSettings.from_dict(
            {"at": AT, "epochs": 4, "batch_size": 3, "stop_loss": 0.0, "skip_loss": 0.0}
            | {"rate_schedule": rate_schedule}
        )
        run = LocftRun(model, facts(), settings)
        list(run.events())
        changes.append(run.weight_change())
    assert changes[1] < 0.9 * changes[0]


def test_a_checkpoint_of_a_falling_run_goes_on_where_its_rate_was(
    model: LanguageModel, tmp_path: Path
) -> None:
    settings = EditSettings(
        at=AT, epochs=6, batch_size=2, stop_loss=0.0, recipe="holds", forms=("raw", "rephrase")
    )
    whole = LocftRun(model, facts(), settings)
    list(whole.events())
    begun = LocftRun(model, facts(), settings)
    for event in begun.events():
        if isinstance(event, EpochDone) and event.epoch == 4:
            break
    begun.save_checkpoint(tmp_path / "part")
    resumed = LocftRun(model, facts(), settings, checkpoint=tmp_path / "part")
    list(resumed.events())
    for name, weight in whole.weights.items():
        assert torch.equal(weight, resumed.weights[name])


@given(facts=st.integers(1, 60), batch_size=st.integers(1, 13), seed=st.integers(0, 3))
def test_half_of_a_batch_goes_to_those_who_need_it_and_all_have_their_turn(
    facts: int, batch_size: int, seed: int
) -> None:
    schedule = Schedule(facts, batch_size, 16, False, seed)
    needs = [10.0 if row == 0 else 0.02 for row in range(facts)]
    early = [schedule.rows(3, cursor, needs) for cursor in range(schedule.batches)]
    assert sorted(row for rows in early for row in rows) == list(range(facts))
    late = [schedule.rows(e, cursor, needs) for e in (6, 7) for cursor in range(schedule.batches)]
    assert {row for rows in late for row in rows} == set(range(facts))
    for rows in late:
        assert len(set(rows)) == len(rows) == min(batch_size, facts)
    if batch_size > 1:
        assert sum(0 in rows for rows in late) > 0.8 * len(late)
    assert schedule.rows(6, 0, needs) == late[0]


def test_an_epoch_says_what_is_learned_in_each_form_and_what_became_of_neighbours(
    model: LanguageModel,
) -> None:
    settings = EditSettings(
        at=AT, epochs=4, batch_size=2, learning_rate=0.02, forms=("raw", "question")
    )
    run = LocftRun(model, facts(), settings)
    epochs = [event for event in run.events() if isinstance(event, EpochDone)]
    last = epochs[-1]
    assert last.by_form is not None and last.neighbours is not None
    assert set(last.by_form) == {"raw", "question"}
    # Whose turn came last in an earlier epoch counts as it was then.
    known = run.progress.texts_learned
    raw = [right for text, right in known.items() if int(text) < 6]
    assert 0 < len(raw) < len(known) and last.by_form["raw"] == pytest.approx(sum(raw) / len(raw))
    seen = WatchedNeighbours(model, facts(), 0, 0)
    assert seen.unchanged() == 1.0
    with run.applied():
        assert seen.unchanged() == pytest.approx(last.neighbours)
    assert last.neighbours < 1.0
    plain = LocftRun(model, [Fact("A b", "c")], EditSettings(at=AT, epochs=1, recipe="published"))
    (only,) = (event for event in plain.events() if isinstance(event, EpochDone))
    assert only.by_form is None and only.neighbours is None


def test_every_recipe_has_a_sentence() -> None:
    assert set(RECIPES) == {"holds", "published"}
    assert all(recipe.sentence.endswith(".") for recipe in RECIPES.values())
