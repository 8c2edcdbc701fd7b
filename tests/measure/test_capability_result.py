"""Capability and health as plain data: what dropped, and whether that is more than noise."""

import json

import pytest

from workbench.measure.capability_result import Capability, TaskResult, task_result
from workbench.measure.health_result import Health, HealthSide, ngram_entropy


def test_a_drop_of_many_items_is_more_than_noise_and_of_one_is_not() -> None:
    before = [1.0] * 90 + [0.0] * 10
    much = task_result("facts", "exact_match", before, [0.0] * 20 + before[20:])
    little = task_result("skills", "exact_match", before, [0.0, *before[1:]])
    assert much.is_clear and much.change == pytest.approx(-0.2)
    assert not little.is_clear
    assert "dropped by 0.200 (0.90 to 0.70, 100 items), more than noise" in much.sentence
    assert "within noise" in little.sentence
    both = Capability((much, little), 100, "0.4")
    assert both.sentence.startswith("1 of 2 tasks dropped by more than noise.")
    assert list(both.mean) == pytest.approx([0.9, 0.795])


def test_the_same_answers_are_no_change_and_a_task_not_run_says_why() -> None:
    same = task_result("facts", "acc", [1.0, 0.0], [1.0, 0.0])
    assert same.sentence == "facts did not change (0.50)."
    lost = TaskResult("mmlu", problem="mmlu: its data set is not on this machine.")
    found = Capability((same, lost), None, "0.4")
    assert "not on this machine" in found.sentence and found.mean == (0.5, 0.5)
    assert Capability.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_a_text_that_repeats_itself_has_little_entropy() -> None:
    varied = "The kettle began to sing just as the rain stopped and nobody spoke for a while."
    assert ngram_entropy([varied]) > 3
    assert ngram_entropy(["no no no no no no no no"]) == 0.0
    # Bigrams ab, ba and trigrams aba, bab: 2/3 and 4/3 of nearly one bit, halved.
    assert ngram_entropy(["a b a b a b a b a b"]) == pytest.approx(1.0, abs=0.02)
    assert ngram_entropy([]) == 0.0


def test_health_says_what_became_of_the_writing() -> None:
    before = HealthSide(6.0, 0.0, 10.0, "…")
    broken = HealthSide(2.0, 0.5, 25.0, "…")
    sentence = Health(before, broken, 20, 100, 30, "a small English text").sentence
    assert "2.50 times what it was" in sentence and "more repetitive" in sentence
    assert "hardly changed" in Health(before, before, 20, 100, 30, "a text").sentence
