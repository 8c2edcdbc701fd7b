"""`workbench scan` and `workbench sweep` on the built-in model."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

KEYS = {
    "at",
    "layer",
    "module",
    "reliability",
    "generalization",
    "locality",
    "kl",
    "score",
    "seconds",
}
SHORT = ("--layers", "6-7", "--sample", 6, "--epochs", 2, "--full-runs", 0)
MODULE = ("--modules", "mlp.down_proj")


def test_scan_gives_a_row_for_every_matrix(run: Run, sample: Path) -> None:
    ran = run("scan", sample, "--sample", 8, "--json")
    found = ran.json
    assert ran.code == 0
    assert (found["model"], found["sample"], len(found["rows"])) == ("builtin", 8, 56)
    assert {"at", "layer", "module", "gradient", "relative", "overlap"} <= set(found["rows"][0])
    assert [row["at"] for row in found["rows"] if row["preset"]] == ["6.mlp.down_proj"]


def test_scan_tells_a_person_that_it_ranks_nothing(run: Run, sample: Path) -> None:
    ran = run("scan", sample, "--sample", 4)
    assert ran.code == 0
    assert "relative gradient" in ran.out and "ranks no locations" in ran.out


def test_sweep_scores_each_location_and_recommends_one(run: Run, sample: Path) -> None:
    ran = run("sweep", sample, *SHORT, "--modules", "mlp.down_proj,layer", "--json")
    found = ran.json
    assert ran.code == 0 and found["finished"]
    assert [row["at"] for row in found["rows"]] == ["6.mlp.down_proj", "6", "7.mlp.down_proj", "7"]
    assert set(found["rows"][0]) >= KEYS
    assert found["recommended"]["at"] in [row["at"] for row in found["rows"]]
    assert found["recommended"]["at"] in found["recommended"]["reason"]


def test_a_sweep_looks_again_where_it_is_worth_most(run: Run, sample: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    ask = ("sweep", sample, "--layers", 7, "--sample", 6, "--epochs", 12, "--full-runs", 1)
    ran = run(*ask, "--out", kept)
    assert ran.code == 0 and "(full length)" in ran.out
    found = run(*ask, "--out", kept, "--json").json
    assert len({row["at"] for row in found["rows"]}) == 7
    (full,) = [row for row in found["rows"] if row["is_full"]]
    assert found["rows"][-1] == full and full["epochs"] > 12
    assert len((kept / "sweep.jsonl").read_text().splitlines()) == 1 + len(found["rows"])


def test_other_weights_need_no_other_sweep(run: Run, sample: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    ask = ("sweep", sample, *SHORT, *MODULE, "--out", kept, "--json")
    first, again = run(*ask).json, run(*ask, "--weights", "0,0,1").json
    for before, after in zip(first["rows"], again["rows"], strict=True):
        assert after["seconds"] == before["seconds"]
        assert after["score"] == after["locality"] == before["locality"]


def test_within_a_budget_places_and_rates_are_halved(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    ask = ("sweep", sample, "--layers", "6-7", "--sample", 6, "--epochs", 4, *MODULE)
    how = ("--budget", "10min", "--weights", "must answer everywhere")
    ask_for = (*ask, *how, "--forms", "raw", "--forms", "chat")
    ran = run(*ask_for, "--out", kept)
    assert ran.code == 0 and "6 facts, at most 4 passes" in ran.out and "chat" in ran.out
    assert re.search(r"Recommended: [67]\.mlp\.down_proj at 0\.\d+\.", ran.out)
    found = run(*ask_for, "--out", kept, "--json").json
    assert [row["limit"] for row in found["rows"]] == [1] * 6 + [2] * 3 + [4]
    assert {row["learning_rate"] for row in found["rows"]} == {0.005, 0.015, 0.0015}
    assert all(0 <= row["text"] <= 1 for row in found["rows"])
    assert found["weights"]["chat"] == 2


def test_rows_of_another_sweep_are_refused(run: Run, sample: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert run("sweep", sample, *SHORT, *MODULE, "--out", kept).code == 0
    other = run("sweep", sample, "--layers", "6", "--sample", 5, "--epochs", 2, "--out", kept)
    assert other.code == 2
    assert "holds another sweep" in other.err and "settings" in other.err


def test_plots_are_files_of_their_own(run: Run, sample: Path, tmp_path: Path) -> None:
    for command in (("scan", sample, "--sample", 4), ("sweep", sample, *SHORT, *MODULE)):
        plot = tmp_path / f"{command[0]}.html"
        assert run(*command, "--plot", plot).code == 0
        written = plot.read_text(encoding="utf-8")
        assert "Plotly.newPlot" in written
        assert not re.search(r'<(?:script|link)[^>]+(?:src|href)="http', written)


def test_wrong_options_say_what_to_write(run: Run, sample: Path) -> None:
    for words, told in (
        (("--layers", "6-x"), "Write numbers and ranges"),
        (("--layers", "12"), "12"),
        (("--modules", "mlp.nothing"), "mlp.nothing"),
        (("--weights", "1,1"), "three numbers"),
        (("--lr", "0"), "above 0"),
        (("--budget", "soon"), "Write seconds"),
        (("--weights", "gently"), "must not break anything"),
    ):
        ran = run("sweep", sample, *words)
        assert ran.code == 2 and told in ran.err, words
        assert "Traceback" not in ran.err
