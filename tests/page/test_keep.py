"""The card "Take it with you": what is offered, what is asked for, what is told afterwards."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.page.test_runs import add_run
from workbench.errors import SettingsError
from workbench.facts import Fact
from workbench.methods.locft_settings import EditSettings
from workbench.page.runs.keep import _draw_keep, _export
from workbench.store import Library, Store
from workbench.store.requests import ExportRequest
from workbench.store.settings import ModelChoice


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Library(tmp_path).create("one")
    made.facts.add([Fact("A is", "B"), Fact("C is", "D"), Fact("E is", "F")], "file")
    run = add_run(made, EditSettings(), [True, True, True], ["B", "D", "F"])
    made.settings.set("shown_run", run)
    return made


def press(store: Store, **told: Any) -> None:
    _export(store, SimpleNamespace(_data=told))


def test_a_gguf_file_is_offered_where_the_base_has_one(store: Store) -> None:
    shown = str(_draw_keep(store))
    assert 'data-form="adapter"' in shown and 'data-form="gguf"' not in shown
    store.settings.choose_model(ModelChoice("/models/some.Q4_1.gguf"))
    store.settings.set("shown_run", 1)
    assert 'data-form="gguf"' in str(_draw_keep(store))


def test_a_form_is_asked_for_and_its_result_told_with_the_lines_that_run_it(store: Store) -> None:
    press(store, run="1", form="adapter")
    job = store.jobs.latest("export")
    assert job is not None and isinstance(job.request, ExportRequest)
    assert job.request.settings.form == "adapter" and job.request.folder.endswith("adapter")
    lines = ["The adapter is in <there>.", "Edited facts right: 3 after."]
    assert store.jobs.claim(job.id, "worker")
    store.jobs.finish(job.id, "done", {"lines": lines, "run": ["vllm serve here"]})
    shown = str(_draw_keep(store))
    assert "in &lt;there&gt;." in shown and "3 after" in shown and "vllm serve here" in shown
    with pytest.raises(SettingsError, match="no such form"):
        press(store, run="1", form="elsewhere")


def test_what_was_written_before_is_kept_or_replaced_and_never_in_the_way(store: Store) -> None:
    def asked() -> ExportRequest:
        job = store.jobs.latest("export")
        assert job is not None and isinstance(job.request, ExportRequest)
        return job.request

    press(store, run="1", form="full")
    press(store, run="1", form="full")  # before the first one is there
    assert Path(asked().folder).name == "model-2"
    folder = store.runs.folder(1)
    (folder / "model").mkdir(parents=True)
    (folder / "model-2").mkdir()
    shown = str(_draw_keep(store))
    assert "Write the full model once more" in shown and "Replace model-2" in shown
    assert "Replace adapter" not in shown
    press(store, run="1", form="full", replaces="yes")
    assert Path(asked().folder).name == "model-2" and asked().replaces
    press(store, run="1", form="full")
    assert Path(asked().folder).name == "model-3" and not asked().replaces


def test_the_command_is_that_of_the_form_that_was_chosen_last(store: Store) -> None:
    assert "--facts facts.csv --out edited-model" in str(_draw_keep(store))
    press(store, run="1", form="adapter")
    assert "--form adapter" in str(_draw_keep(store)) and "--out adapter" in str(_draw_keep(store))
    press(store, run="1", form="full")
    shown = str(_draw_keep(store))
    assert "--form" not in shown and "--out edited-model" in shown
