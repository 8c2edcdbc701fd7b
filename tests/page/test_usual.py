"""Whether a number is good, from what was measured before and in other runs."""

from copy import deepcopy
from dataclasses import replace

from markupsafe import Markup

from tests.page.shown_values import KEPT
from workbench.page.evaluate.results import measures_card
from workbench.page.evaluate.usual import usual_numbers
from workbench.store.evaluations import KeptEvaluation


def kept(run: int, reliability: float) -> KeptEvaluation:
    report = deepcopy(KEPT.report)
    for side, value in (("before", 0.0), ("after", reliability)):
        number = {"value": value, "low": value, "high": value, "count": 9}
        report["evaluation"]["intervals"][side]["reliability_strict"] = number
    return replace(KEPT, run=run, report=report)


def test_a_number_is_told_against_the_base_and_the_other_runs() -> None:
    others = [kept(2, 0.5), kept(3, 0.75)]
    for value, words in (
        (0.9, "higher than usual"),
        (0.6, "usual here"),
        (0.25, "lower than usual"),
    ):
        drawn = str(measures_card(kept(1, value), Markup(), others))
        assert f'title="0.500 to 0.750 in 2 other runs here">{words}<' in drawn
        assert "better than the base" in drawn
    assert "worse than the base" in str(measures_card(kept(1, -0.5), Markup(), others))
    assert "usual" not in str(measures_card(kept(1, 0.9), Markup(), others[:1]))


def test_one_other_run_makes_nothing_usual() -> None:
    assert usual_numbers([KEPT.report["evaluation"]]) == {}
