"""The inside of a model as it is drawn: probabilities on their logarithm, words by their part."""

import re

from tests.page.shown_values import INSIDE
from workbench.page.probe.inside_html import inside_card, tokens_card


def test_a_probability_stands_at_its_logarithm_and_every_number_is_in_the_table() -> None:
    drawn = str(inside_card(INSIDE))
    paths = re.findall(r'<path class="answer-0 base" d="M([^"]*)"', drawn)
    heights = [float(point.split()[1]) for point in paths[0].split(" L")]
    assert heights[0] == 100 and 16 < heights[1] < 17 and heights[1] > heights[2]
    rows = re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', drawn)
    assert [(name, re.findall(r">([\d.]+)<", cells)) for name, cells in rows[:3]] == [
        ("before", ["0.000", "0.000"]),
        ("0", ["0.100", "0.500"]),
        ("1", ["0.200", "0.900"]),
    ]
    assert 'class="word for"' in drawn and 'class="word against"' in drawn


def test_tokens_in_the_loss_are_marked_and_doubts_are_told() -> None:
    drawn = str(tokens_card(INSIDE.texts))
    assert 'class="tok trained"' in drawn and "·Cusco" in drawn
    assert "No blank." in drawn and "with a system prompt" in drawn
