"""Shares, their protocols and intervals: what may stand side by side, and what is refused."""

import json

import numpy as np
import pytest

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.measure.groups import group_rows, prompt_patterns
from workbench.measure.protocols import Difference, Measured, MeasureTable, Protocol, split_metric
from workbench.measure.statistics import interval
from workbench.measure.verdicts import QuestionVerdicts, Verdict, measure_rows


def measured(
    value: float, measure: str = "reliability", protocol: Protocol = "strict", width: float = 0.01
) -> Measured:
    return Measured(measure, protocol, value, value - width, value + width, 100)


def test_a_strict_share_is_never_compared_with_a_generated_one() -> None:
    strict, generated = measured(0.9), measured(0.95, protocol="generated")
    with pytest.raises(SettingsError, match=r"reliability_strict cannot be compared .* protocols"):
        Difference(strict, generated)
    with pytest.raises(SettingsError, match="protocols differ"):
        _ = generated - strict
    with pytest.raises(SettingsError, match="not the same"):
        Difference(strict, measured(0.5, "locality"))
    with pytest.raises(SettingsError, match="by the strict protocol; reliability_generated"):
        MeasureTable("strict", {"one run": {"reliability": generated}})
    with pytest.raises(SettingsError, match="stands under 'locality'"):
        MeasureTable("strict", {"one run": {"locality": strict}})


def test_the_same_measure_by_the_same_protocol_is_compared() -> None:
    clear = Difference(measured(0.5), measured(0.7))
    assert clear.value == pytest.approx(0.2) and clear.is_clear
    assert not Difference(measured(0.5, width=0.1), measured(0.6, width=0.1)).is_clear
    row = {"locality": measured(0.5, "locality"), "reliability": measured(0.7)}
    table = MeasureTable("strict", {"a": row})
    assert table.measures == ("reliability", "locality")


def test_a_number_without_a_protocol_in_its_name_is_refused() -> None:
    assert split_metric("locality_right_token") == ("locality_right", "token")
    with pytest.raises(SettingsError, match="does not say how it was measured"):
        split_metric("reliability")


def test_a_share_survives_json() -> None:
    number = measured(0.25, "locality_right", "token")
    assert Measured.from_dict(number.name, json.loads(json.dumps(number.as_dict()))) == number


def test_the_interval_is_that_of_a_plain_bootstrap_over_facts() -> None:
    random = np.random.default_rng(1)
    counts = random.integers(1, 4, size=300).astype(float)
    sums = random.binomial(counts.astype(int), 0.7).astype(float)
    rows = random.integers(0, 300, size=(4000, 300))
    plain = np.quantile(sums[rows].sum(axis=1) / counts[rows].sum(axis=1), (0.05, 0.95))
    assert interval(sums, counts) == pytest.approx(tuple(plain), abs=0.006)
    assert interval(sums, counts, seed=3) == interval(sums, counts, seed=3)
    assert interval(np.ones(5), np.ones(5)) == (1.0, 1.0)


def rows_for(right: list[bool]) -> list[QuestionVerdicts]:
    return [
        QuestionVerdicts(i, "prompt", f"prompt {i}", "answer", Verdict(), Verdict(strict=yes))
        for i, yes in enumerate(right)
    ]


def test_facts_are_grouped_by_the_pattern_around_their_subject() -> None:
    countries = ["Chad", "Cuba", "Peru", "Mali"]
    facts = [Fact(f"The capital of {name} is", "Rome", subject=name) for name in countries]
    facts += [Fact("Chad lies in", "Asia", subject="Chad"), Fact("Who?", "Me", subject="you")]
    labels = prompt_patterns(facts)
    assert labels == ["The capital of … is"] * 4 + ["… lies in", None]
    rows = rows_for([True, True, False, False, True, False])
    first, second = group_rows(rows, {"pattern": labels}, edited=True)
    assert (first.label, first.facts) == ("The capital of … is", 4)
    assert first.measured["reliability_strict"].value == 0.5
    assert (second.label, second.facts) == ("… lies in", 1)
    assert json.loads(json.dumps(first.as_dict()))["measured"]["reliability_strict"]["count"] == 4


def test_groups_that_have_an_order_keep_it_and_one_group_alone_says_nothing() -> None:
    rows = rows_for([True] * 4)
    epochs = ["epoch 10", "epoch 2", "epoch 2", "not learned"]
    found = group_rows(rows, {"learned in": epochs, "source": ["a.csv"] * 4}, edited=True)
    labels = [group.label for group in found]
    assert {group.by for group in found} == {"learned in"}
    assert labels.index("epoch 2") < labels.index("epoch 10")


def test_facts_that_share_nothing_are_not_grouped() -> None:
    alone = [f"pattern {number}" for number in range(8)]
    assert group_rows(rows_for([True] * 8), {"pattern": alone}, edited=True) == []


def test_a_measure_nobody_judged_is_not_there_rather_than_zero() -> None:
    assert set(measure_rows(rows_for([True, False]), "after")) == {"reliability_strict"}
    assert measure_rows(rows_for([True]), "before") == {}


@pytest.mark.parametrize(
    ("row", "failed"),
    [
        (QuestionVerdicts(0, "prompt", "p", "w", after=Verdict(strict=False)), True),
        (QuestionVerdicts(0, "prompt", "p", "w", after=Verdict(False, 0.5, True)), False),
        (QuestionVerdicts(0, "locality", "p", "w", after=Verdict(strict=False)), False),
        (QuestionVerdicts(0, "locality", "p", "", unchanged=Verdict(True, 1.0, False)), True),
    ],
)
def test_a_failure_is_what_the_edit_did_not_do(row: QuestionVerdicts, failed: bool) -> None:
    assert row.failed is failed
