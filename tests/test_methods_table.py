"""A method that is in the table is everywhere: one file and one entry, nothing else."""

import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

import workbench
from tests.cli.conftest import run_command
from tests.page.test_form import made
from tests.toy_method import TOY, ToySettings
from workbench.cli.reference import reference
from workbench.facts import Fact
from workbench.methods.base import METHODS
from workbench.model.patch import Patch
from workbench.page.app import build
from workbench.page.edit.run_card import RunView, run_card
from workbench.page.evaluate.files import session_report
from workbench.page.runs.actions import act_on_runs
from workbench.page.runs.table import RunLine, RunsView, runs_table
from workbench.search.study_settings import StudySettings
from workbench.store import Library, Store
from workbench.store.requests import (
    EvaluateRequest,
    ExportRequest,
    Request,
    StudyRequest,
    edit_request,
)
from workbench.worker.task import Task
from workbench.worker.workshop import Workshop

FACTS = "prompt,target_new\nThe capital of France is,Rome\nThe capital of Peru is,Oslo\n"


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "toy", TOY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.csv"
    path.write_text(FACTS, encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_command_line_lists_it_runs_it_measures_and_writes_it(
    file: Path, tmp_path: Path
) -> None:
    said = " ".join(run_command("edit", "--help").out.split())
    assert "toy: Scales one norm." in said and "--scale" in said
    patch, report, whole = tmp_path / "patch", tmp_path / "r.json", tmp_path / "whole"
    words = ("--method", "toy", "--scale", "0.25")
    assert run_command("edit", file, *words, "--out", patch, "--json").code == 0
    kept = Patch.load(patch)
    assert (kept.metadata["method"], kept.metadata["settings"]) == ("toy", {"scale": 0.25})
    ran = run_command("evaluate", file, "--patch", patch, "--report", report, "--json")
    assert ran.code == 0 and ran.json["after"]["reliability_strict"] is not None
    assert json.loads(report.read_text(encoding="utf-8"))["run"]["settings"] == {"scale": 0.25}
    assert run_command("export", "--patch", patch, "--out", whole).code == 0
    assert (whole / "model.safetensors").exists()


def test_an_option_of_another_method_is_refused(file: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "patch")
    ran = run_command("edit", file, "--method", "toy", "--epochs", "3", *out)
    assert ran.code != 0 and "--epochs is no setting of the method toy" in ran.err
    ran = run_command("edit", file, "--scale", "2", *out)
    assert ran.code != 0 and "--scale is no setting of the method locft-bf" in ran.err


def test_python_and_the_reference_know_it() -> None:
    builtin = workbench.load_model("builtin", device="cpu")
    facts = [Fact("The capital of France is", "Rome")]
    done = workbench.edit(builtin, facts, method="toy", scale=0.25)
    assert done.patch.metadata["settings"] == {"scale": 0.25}
    assert "| Scale of the norm | `scale` | `--scale` | `0.5` |" in reference()


def test_the_page_offers_it_with_its_form(tmp_path: Path) -> None:
    blocks = made(lambda: build(Library(tmp_path)))
    radios = [b for b in blocks.blocks.values() if isinstance(b, gr.Radio)]
    (chosen,) = [radio for radio in radios if radio.label == "Method"]
    assert chosen.choices == [(method.name, key) for key, method in METHODS.items()]
    assert chosen.choices[0] == ("LocFT-BF", "locft-bf") and ("Toy", "toy") in chosen.choices
    labels = {getattr(block, "label", None) for block in blocks.blocks.values()}
    assert "Scale of the norm" in labels and "Learning rate" in labels


def done(workshop: Workshop, store: Store, request: Request) -> dict[str, Any]:
    """What a job comes to, done as the worker would."""
    job = store.jobs.ask_for(request)
    assert store.jobs.claim(job, "test")
    result = workshop.do(Task(store, store.jobs.get(job)))
    store.jobs.finish(job, "done", result=result)
    return result


@pytest.mark.slow
def test_a_session_runs_it_draws_it_reports_it_and_studies_it(file: Path, tmp_path: Path) -> None:
    store, workshop = Library(tmp_path / "sessions").create("toys"), Workshop()
    store.facts.add(workbench.read_facts(file), "facts.csv")
    run = done(workshop, store, edit_request(ToySettings(scale=0.25), "toy"))["run"]
    found = store.runs.get(run)
    assert (found.method, found.state, found.settings) == ("toy", "done", ToySettings(0.25))
    card = run_card(RunView(run=found, outcomes=store.runs.outcomes(run, 0, 8)))
    assert "done" in card and ">Toy</span>" in card
    table = runs_table(RunsView([RunLine(found, [1.0])]))
    assert ">Toy</span>" in table
    number = done(workshop, store, EvaluateRequest(run))["evaluation"]
    report = session_report(store, store.evaluations.get(number))
    assert report["run"]["settings"] == {"scale": 0.25}
    folder = tmp_path / "whole"
    done(workshop, store, ExportRequest(run, str(folder)))
    assert (folder / "model.safetensors").exists()

    act_on_runs(store, "use", run)
    assert store.settings.method is TOY
    assert store.settings.of("edit", "toy") == ToySettings(0.25)
    study = StudySettings(
        passes=1, learning_rates=(1e-3,), methods=("toy",), locft_at="6.mlp.down_proj", written=2
    )
    done(workshop, store, StudyRequest(study))
    (kept,) = store.studies.all()
    assert "Toy" in {row["label"] for row in kept.record()["rows"]}
