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
