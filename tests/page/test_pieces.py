"""What is drawn from data alone: tables, curves and commands."""

import re

from workbench.model.places import Places
from workbench.model.presets import PRESETS
from workbench.page.kit.charts import loss_curve
from workbench.page.layers.heat import heat_map
from workbench.page.layers.location_card import location_card
from workbench.work.words import clock, quantity, share


def test_the_loss_curve_has_a_point_for_each_epoch() -> None:
    path = re.search(r'<path d="([^"]*)"', loss_curve([3.0, 0.5, 0.02], 25, 0.01))
    assert path is not None and len(re.findall("[ML]", path.group(1))) == 3
    assert loss_curve([], 25, 0.01) == loss_curve([0.5], 1, 0.01) == ""
    assert "nan" not in loss_curve([float("nan"), 0.0, 1.0], 3, 0.0)


def test_a_share_reads_one_only_when_it_is_whole() -> None:
    assert share(1.0) == "1.00"
    assert share(0.9996) == "0.99"
    assert share(None) == "–"


def test_large_numbers_and_times_are_short() -> None:
    assert (quantity(4_430_000), quantity(110_592)) == ("4.43M", "111k")
    assert (clock(4), clock(3750)) == ("0:04", "1:02:30")


def test_only_the_papers_own_places_are_called_the_papers() -> None:
    for preset in PRESETS:
        card = location_card(("3.mlp",), True, preset, [], None)
        is_papers = preset.name != "Built-in model" and not preset.is_scaled
        assert ("Use the paper" in card) == is_papers
        assert ("Use the preset" in card) != is_papers


def test_a_place_says_whether_it_was_measured_or_scaled_from_another_model() -> None:
    for preset in PRESETS:
        card = location_card(preset.at, False, preset, [], None)
        assert (">scaled, not tuned<" in card) == preset.is_scaled
        assert (">measured<" in card) != preset.is_scaled


def test_the_heat_map_offers_a_matrix_only_where_it_is() -> None:
    places = Places(
        3,
        {"mlp.down_proj": (0,), "mlp.gate": (1, 2), "mlp.experts.down_proj": (1, 2)},
        {"mlp.experts.down_proj": 8},
    )
    drawn = str(heat_map(places, ("1.mlp.gate",), ("0.mlp.down_proj",), []))
    offered = re.findall(r'data-at="([^"]*)"', drawn)
    assert sorted(offered) == sorted(
        ["0.mlp.down_proj", "1.mlp.gate", "2.mlp.gate"]
        + ["1.mlp.experts.down_proj", "2.mlp.experts.down_proj"]
        + [f"{layer}{block}" for layer in range(3) for block in ("", ".mlp")]
    )
    assert "mlp.experts.down_proj (8)" in drawn
