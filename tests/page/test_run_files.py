"""The runs as a table to download: a row each, and no text that a program would carry out."""

import csv
from pathlib import Path

from workbench.facts import Fact
from workbench.methods.locft_settings import EditSettings
from workbench.page.runs.files import runs_csv
from workbench.store import Store


def test_every_run_is_a_row_and_none_of_its_texts_a_formula(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert runs_csv(store) == "run\n"
    store.facts.add([Fact("A is", "b")], "typed")
    settings = EditSettings(at=("2.mlp.up_proj", "3.mlp.up_proj"), seed=4)
    for model in ("tiny", "=cmd()"):
        run = store.runs.begin(store.jobs.submit("load"), model, settings, store.facts.enabled())
        store.runs.end(run, "done", {"epochs": 2, "seconds": 1.5})
    store.runs.set_metrics(1, {"after": {"reliability_strict": 0.5, "locality_strict": None}})
    store.runs.set_metrics(2, {"after": {"=cmd()": 0.25}})  # as a session from elsewhere may have
    store.settings.name_run(1, "@best, so far")
    first, second = csv.DictReader(runs_csv(store).splitlines())
    assert (first["run"], first["name"], first["model"]) == ("1", "'@best, so far", "tiny")
    assert (first["at"], first["setting.seed"]) == ("2.mlp.up_proj,3.mlp.up_proj", "4")
    assert (first["reliability_strict"], first["locality_strict"]) == ("0.5", "")
    assert (second["model"], second["reliability_strict"]) == ("'=cmd()", "")
    assert second["'=cmd()"] == "0.25" and "=cmd()" not in second
