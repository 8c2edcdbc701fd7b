"""Plots of scan and sweep as figures, and a sweep in words."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.search.test_recommend import row
from workbench.page.layers.trials import recommendation_card, trials_table
from workbench.plots.scan import scan_heatmap
from workbench.plots.scatter import scatter
from workbench.plots.style import without_words, write_html
from workbench.plots.sweep import sweep_curves
from workbench.search.recommend import recommend
from workbench.search.score import score_rows
from workbench.work.colours import THEMES, ThemeName

SWEPT = [row(f"{layer}.mlp", layer / 4, layer / 5, 1 - layer / 8) for layer in range(4)]
SCANNED = pd.DataFrame(
    [
        {
            "at": f"{layer}.{module}",
            "layer": layer,
            "module": module,
            "gradient": layer + 1.0,
            "relative": 0.1 * (layer + 1),
            "overlap": 0.02 * layer,
        }
        for layer in range(3)
        for module in ("mlp.up", "mlp.down")
    ]
)


def curves(**more: str) -> pd.DataFrame:
    return pd.DataFrame([score.as_dict() for score in score_rows(SWEPT)]).assign(**more)


def test_a_scan_is_module_by_layer_and_a_cell_knows_its_location() -> None:
    figure = scan_heatmap(SCANNED, preset=("1.mlp.up",), chosen=("2.mlp.down",), source="there")
    (heat,) = figure.data
    assert list(heat.y) == ["mlp.down", "mlp.up"] and list(heat.x) == [0, 1, 2]
    assert heat.customdata[0][2][0] == "2.mlp.down"
    assert len(figure.layout.shapes) == 2
    words = " ".join(note.text for note in figure.layout.annotations)
    assert "1.mlp.up (there)" in words and "ranks no locations" in words


def test_where_a_layer_lacks_a_matrix_a_scan_has_nothing_to_click() -> None:
    figure = scan_heatmap(SCANNED[SCANNED["at"] != "2.mlp.down"])
    (heat,) = figure.data
    assert heat.z[0][1] < 0 and math.isnan(heat.z[0][2])
    assert heat.hoverongaps is False


def test_a_sweep_draws_each_measure_with_its_band_and_its_name_at_the_end() -> None:
    figure = sweep_curves(curves(), recommended="3.mlp", chosen=("1.mlp",))
    names = [trace.name for trace in figure.data if trace.customdata is not None]
    assert names == ["score", "reliability", "generalization", "locality"]
    assert {"circle", "square"} <= {trace.name for trace in figure.data}
    assert {note.text for note in figure.layout.annotations} >= set(names)
    assert list(figure.data[1].customdata) == ["0.mlp", "1.mlp", "2.mlp", "3.mlp"]


def test_full_runs_and_matrices_of_few_layers_are_points_beside_the_curves() -> None:
    again = row("3.mlp", 1.0, 1.0, 1.0, limit=50)
    swept = [*SWEPT, row("3.attn", 0.5, 0.5, 0.5), again]
    figure = sweep_curves(
        pd.DataFrame([score.as_dict() for score in score_rows(swept)]), recommended="3.mlp"
    )
    clicked = {t.name: list(t.customdata) for t in figure.data if t.customdata is not None}
    assert set(clicked) == {
        "score",
        "reliability",
        "generalization",
        "locality",
        "circle-open",
        "diamond",
    }
    assert (clicked["circle-open"], clicked["diamond"]) == (["3.attn"], ["3.mlp"])
    assert len(clicked["score"]) == 4
    (ring,) = [trace for trace in figure.data if trace.name == "circle"]
    assert list(ring.y) == [100]
    (diamond,) = [trace for trace in figure.data if trace.name == "diamond"]
    assert "full run" in diamond.text[0]


def test_a_rate_that_was_tried_in_few_layers_is_a_curve_with_its_name() -> None:
    swept = [*SWEPT, row("1.mlp", 0.5, 0.5, 0.5, learning_rate=0.015)]
    longer = row("2.mlp", 1.0, 1.0, 1.0, learning_rate=0.015, limit=50)
    more: dict[str, Any] = {"reliable": (True,) * 40, "general": (1.0,) * 40, "local": (1.0,) * 40}
    longest = replace(longer, limit=100, **more)
    figure = sweep_curves(
        pd.DataFrame([score.as_dict() for score in score_rows([*swept, longer, longest])]),
        recommended="2.mlp",
    )
    assert {"lr 0.005", "lr 0.015"} <= {note.text for note in figure.layout.annotations}
    (diamonds,) = (trace for trace in figure.data if trace.name == "diamond")
    assert ["20 facts, at most 50 passes" in text for text in diamonds.text] == [True, False]
    assert "learning rate 0.015" in diamonds.text[1]
    (circle,) = (trace for trace in figure.data if trace.name == "circle")
    assert list(circle.y) == [100]


def test_two_sweeps_are_told_apart_by_their_names() -> None:
    both = pd.concat([curves(sweep="sweep 1"), curves(sweep="sweep 2")])
    names = [t.name for t in sweep_curves(both).data if t.customdata is not None]
    assert names == ["sweep 1", "sweep 2"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_plot_is_drawn_in_the_colours_of_its_theme(theme: ThemeName) -> None:
    for figure in (sweep_curves(curves(), theme=theme), scan_heatmap(SCANNED, theme=theme)):
        assert figure.layout.paper_bgcolor == THEMES[theme].card
        assert figure.layout.font.color == THEMES[theme].text


def test_a_page_gets_the_plot_without_the_words_it_says_itself() -> None:
    whole = sweep_curves(curves(), note="A long sentence about what the scores rest on. " * 4)
    height = whole.layout.height
    bare = without_words(whole)
    assert bare.layout.title.text is None and bare.layout.height < height
    assert all("sentence" not in note.text for note in bare.layout.annotations)


def test_a_plot_as_a_file_needs_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "plot.html"
    write_html(file, [sweep_curves(curves()), scan_heatmap(SCANNED)], "Two")
    written = file.read_text(encoding="utf-8")
    assert written.count("Plotly.newPlot") >= 2 and "<script src" not in written


def test_a_recommendation_gives_its_reason_and_can_be_used() -> None:
    found = recommend(SWEPT)
    assert found is not None
    open_card = recommendation_card(found, ("1.mlp",))
    assert found.at in open_card and 'data-do="use"' in open_card
    assert "It is chosen" in recommendation_card(found, (found.at,))
    assert recommendation_card(None, ()) == ""


def test_trials_stand_best_first_and_name_their_rates_where_they_differ() -> None:
    scores = score_rows(SWEPT)
    table = trials_table(scores, ("2.mlp",), ("1.mlp",))
    places = [table.index(f'data-at="{at}"') for at in ("3.mlp", "2.mlp", "1.mlp", "0.mlp")]
    assert places == sorted(places)
    assert table.count('aria-pressed="true"') == 1 and "rate" not in table
    two = score_rows([*SWEPT, row("3.mlp", 1, 1, 1, learning_rate=0.01)])
    assert ">rate<" in trials_table(two, (), ())
    more: dict[str, Any] = {"reliable": (True,) * 40, "question": (True,) * 40}
    longest = row("3.mlp", 1, 1, 1, limit=9, text=(0.0,))
    halved = score_rows([replace(longest, **more), replace(longest, question=(False,) * 20)])
    table = trials_table(halved, (), ())
    assert table.index("40 facts, at most 9 passes") < table.index("20 facts, at most 9 passes")
    assert ">quest.<" in table and ">text<" in table and ">chat<" not in table


def test_runs_in_a_scatter_have_their_colours_and_their_names_are_no_markup() -> None:
    rows = pd.DataFrame(
        [
            {"name": "run 1 · <b>", "hue": 2, "x": 1e-4, "y": 0.5},
            {"name": "run 2", "hue": 4, "x": 1e-2, "y": 0.75},
        ]
    )
    figure = scatter(rows, "learning rate", "reliability", stretched=(True, False), theme="dark")
    (points,) = figure.data
    series = THEMES["dark"].series
    assert list(points.marker.color) == [series[1], series[3]]
    assert points.text[0] == "run 1 · &lt;b&gt;" and points.mode == "markers+text"
    assert figure.layout.xaxis.type == "log" and figure.layout.yaxis.type != "log"
    assert list(figure.layout.xaxis.ticktext) == ["0.0001", "0.01"]
    words = scatter(rows.assign(x=["published", "holds"]), "recipe", "reliability")
    assert words.layout.xaxis.type == "category"
    marked = scatter(rows, "<a href='x'>", "<b>").to_json()
    assert "<a" not in marked and "<b>:" not in marked and "&lt;a" in marked
