"""What is measured at the places of a model, as the heat map shows it. From data alone."""

import re
from dataclasses import replace

from tests.page.shown_values import OTHER, RUN
from tests.search.test_recommend import row
from workbench.model.places import Places
from workbench.page.layers.heat import heat_map
from workbench.page.layers.known import measured_places
from workbench.search.scan_result import Scan, ScanRow
from workbench.search.score import score_rows

SCAN = Scan(
    tuple(ScanRow(f"{layer}.mlp.up", layer, "mlp.up", 9, 1.0, 0.1**layer, 0.5) for layer in (0, 1)),
    3,
    2,
    1,
    1,
    1.0,
)


def test_the_longest_trial_at_a_place_counts_and_a_run_alone_goes_before_one_with_others() -> None:
    done = {"after": {"generalization_strict": 0.25}}
    alone = replace(RUN, id=1, at=("0.mlp.up",), metrics=done)
    several = replace(OTHER, id=2, at=("0.mlp.up", "1.mlp.up"), metrics={"after": {
        "generalization_strict": 0.75
    }})  # fmt: skip
    swept = score_rows([row("0.mlp.up", 0.9, 0.9, 0.9), row("0.mlp.up", 0.1, 0.1, 0.1, limit=50)])
    found = {each.key: each for each in measured_places(SCAN, swept, [several, alone])}
    assert found["generalization"].values == {"0.mlp.up": 0.1}
    assert found["run"].values == {"0.mlp.up": 0.25, "1.mlp.up": 0.75}
    assert "with 1 more" in found["run"].words["1.mlp.up"]
    assert [found["relative"].height(found["relative"].values[at]) for at in ("0.mlp.up",)] == [1.0]


def test_a_model_of_many_layers_stands_in_bands_and_the_keyboard_enters_at_one_place() -> None:
    places = Places(96, {"mlp.up": tuple(range(96)), "mlp.down": tuple(range(96))})
    drawn = str(heat_map(places, ("50.mlp.up",), (), measured_places(SCAN, [], []), "relative"))
    assert drawn.count("<table>") == 2
    assert re.findall(r'tabindex="0"', drawn) == ['tabindex="0"']
    (entry,) = re.findall(r'<button[^>]*tabindex="0"[^>]*>', drawn)
    assert 'data-at="50.mlp.up"' in entry
    assert 'aria-label="0.mlp.up, pull 1, overlap 50%"' in drawn
