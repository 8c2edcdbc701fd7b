"""The Python functions: one for each action, with what earlier versions took and returned."""

from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.facts import Fact, Question
from workbench.model.language_model import LanguageModel
from workbench.work.events import Event, Progress

FACTS = [
    Fact("The capital of Peru is", "Oslo", locality_prompts=(Question("Two and two is", "4"),)),
    Fact("The capital of Chile is", "Rome", rephrase_prompts=("Chile is ruled from",)),
]


def test_an_evaluation_has_what_it_always_had_and_the_parts_that_were_asked_for(
    model: LanguageModel,
) -> None:
    events: list[Event] = []
    steps: list[tuple[int, int]] = []
    found = workbench.evaluate(
        model,
        FACTS,
        written=0,
        seed=3,
        on_event=events.append,
        on_progress=lambda done, total: steps.append((done, total)),
    )
    assert found.facts == 2 and found.after is None and found.written == 0 and found.seed == 3
    assert found.as_dict()["before"] == found.evaluation.as_dict()["before"]
    assert found.health is None and "health" not in found.as_dict()
    assert any(isinstance(event, Progress) for event in events)
    assert steps[-1][0] == steps[-1][1]


def test_a_setting_that_is_none_is_refused_by_its_name(model: LanguageModel) -> None:
    with pytest.raises(workbench.WorkbenchError, match="sead"):
        workbench.scan(model, FACTS, sead=1)


def test_what_a_sweep_found_is_kept_in_the_folder_and_not_tried_again(
    model: LanguageModel, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {
        "modules": ("mlp.down_proj",),
        "epochs": 1,
        "full_runs": 0,
        "batch_size": 2,
    }
    first = workbench.sweep(model, FACTS, folder=tmp_path / "kept", **asked)
    tried: list[Event] = []
    again = workbench.sweep(model, FACTS, folder=tmp_path / "kept", on_event=tried.append, **asked)
    assert [score.at for score in again.scores] == [score.at for score in first.scores]
    assert first.scores and not any(type(event).__name__ == "LocationDone" for event in tried)
