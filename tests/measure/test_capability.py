"""General capability and healthy writing, measured on the built-in model before and after."""

import json
from pathlib import Path

import pytest

from workbench.errors import ModelError, SettingsError
from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure.capability import (
    MISSING,
    harness_version,
    measure_capability,
    tasks_of,
    write_own_tasks,
)
from workbench.measure.health import measure_health, perplexity
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.paths import assets_dir

pytestmark = pytest.mark.slow

installed = pytest.mark.skipif(not harness_version(), reason=MISSING)


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return list(read_facts(assets_dir() / "samples" / "facts_20.csv").facts)


@pytest.fixture(scope="module")
def destructive(builtin: LanguageModel, facts: list[Fact]) -> Patch:
    """A whole early layer at a high rate, which breaks more than it edits."""
    return edit(builtin, facts, at="1", learning_rate=3e-2, epochs=6).patch


@installed
def test_the_harness_tells_what_a_destructive_edit_broke(
    builtin: LanguageModel, facts: list[Fact], destructive: Patch
) -> None:
    seen: list[tuple[int, int, str]] = []
    found = measure_capability(
        builtin,
        ["builtin", "nq_open"],
        destructive,
        facts=facts,
        limit=40,
        on_progress=lambda *step: seen.append(step),
    )
    skills, known, lost = found.tasks
    for task in (skills, known):
        assert (task.metric, task.items, task.problem) == ("exact_match", 40, "")
        assert task.before is not None and task.before > 0.6
        assert task.is_clear and (task.change or 0) < 0
    assert lost.task == "nq_open" and "not on this machine" in lost.problem
    assert "2 of 2 tasks dropped by more than noise" in found.sentence
    assert seen[0] == (0, 6, "builtin_skills") and seen[-1][:2] == (6, 6)
    assert found.harness == harness_version()


@installed
def test_a_task_nobody_knows_says_so_and_the_rest_runs(builtin: LanguageModel) -> None:
    found = measure_capability(builtin, ["no_such_task", "builtin_facts"], limit=4)
    assert "knows no such task" in found.tasks[0].problem
    assert found.tasks[1].before is not None and found.tasks[1].after is None


@pytest.mark.skipif(bool(harness_version()), reason="The harness is installed.")
def test_without_the_harness_the_message_says_how_to_get_it(builtin: LanguageModel) -> None:
    with pytest.raises(ModelError, match="pip install 'locft-workbench"):
        measure_capability(builtin, ["builtin"])


def test_suites_stand_for_their_tasks_and_no_task_is_an_error(builtin: LanguageModel) -> None:
    assert tasks_of(["builtin", "builtin_facts", "mmlu"]) == (
        "builtin_skills",
        "builtin_facts",
        "mmlu",
    )
    assert "gsm8k" in tasks_of(["paper"])
    with pytest.raises(SettingsError, match="No capability task"):
        tasks_of([""])
    with pytest.raises(SettingsError, match="limit is 0"):
        measure_capability(builtin, ["builtin"], limit=0)


def test_items_about_what_is_edited_are_left_out(tmp_path: Path) -> None:
    source = (assets_dir() / "capability" / "builtin_facts.jsonl").read_text(encoding="utf-8")
    items = [json.loads(line) for line in source.splitlines()]
    edited = [Fact(items[0]["prompt"], "x"), Fact("Who?", "x", subject=items[1]["subject"])]
    write_own_tasks(tmp_path, edited)
    kept = (tmp_path / "builtin_facts.jsonl").read_text(encoding="utf-8")
    left = [json.loads(line) for line in kept.splitlines()]
    assert items[0] not in left and items[1] not in left and items[2] in left
    assert str(tmp_path) in (tmp_path / "builtin_facts.yaml").read_text(encoding="utf-8")


def test_perplexity_is_low_on_the_models_own_kind_of_sentence_and_high_on_noise(
    builtin: LanguageModel,
) -> None:
    own = perplexity(builtin, ["The capital of France is Paris"])
    noise = perplexity(builtin, ["qq zx 7 7 , . ; Paris the of"])
    assert 1 < own < 20 < noise
    with pytest.raises(ModelError, match="two tokens"):
        perplexity(builtin, ["7"])


def test_a_destructive_edit_shows_in_the_health_of_the_writing(
    builtin: LanguageModel, facts: list[Fact], destructive: Patch
) -> None:
    before = builtin.network.get_parameter(next(iter(destructive.tensors))).clone()
    health = measure_health(builtin, facts, destructive)
    assert health.after is not None
    assert health.after.perplexity > 2 * health.before.perplexity
    assert health.prompts == 20 and health.texts > 50
    assert "times what it was" in health.sentence
    assert measure_health(builtin, facts, destructive) == health
    assert (builtin.network.get_parameter(next(iter(destructive.tensors))) == before).all()
