"""Wrong input ends with one line that says what to do, and exit code 2; Ctrl-C loses nothing."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer

from tests.cli.conftest import Ran, Run
from workbench.cli.terminal import watched_or_stopped
from workbench.methods.events import EpochDone
from workbench.methods.locft_bf import LocftRun
from workbench.model.patch import Patch
from workbench.work.events import Event, Progress, Work
from workbench.work.stop import Stop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with fact files that are right and wrong, and a folder that is in use."""
    texts = {
        "good.csv": "prompt,answer\nThe capital of France is,Oslo\nThe capital of Peru is,Rome\n",
        "bad.csv": "prompt,answer\n,Oslo\n",
        "other.csv": "name,colour\nAnn,red\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("facts nowhere.csv", ["nowhere.csv"]),
        ("facts other.csv", ["'name', 'colour'", "prompt"]),
        ("facts full", ["folder"]),
        ("edit nowhere.csv --out new", ["nowhere.csv"]),
        ("edit bad.csv --out new", ["bad.csv", "Row 2", "missing"]),
        ("edit good.csv --out full", ["full", "exists"]),
        ("edit good.csv --out new --epochs 0", ["epochs", "1 or more"]),
        ("edit good.csv --out new --lr nan", ["learning_rate"]),
        ("edit good.csv --out new --at mlp.6", ["'mlp.6' is not a location"]),
        ("edit good.csv --out new --at 6.mlp --at 6", ["overlap"]),
        ("edit good.csv --out new --at 6.mlp.nothing", ["6.mlp.nothing"]),
        ("edit good.csv --out new --at 99.mlp", ["99"]),
        ("edit good.csv --out new --resume", ["new.checkpoint"]),
        ("edit good.csv --out new --model ./nomodel", ["nomodel"]),
        ("edit good.csv --out new --device toaster", ["toaster"]),
        ("plan ./nomodel", ["nomodel"]),
        ("plan --memory much", ["memory is 'much'", "80GB"]),
        ("plan --at 99", ["99", "0 to 7"]),
        ("probe Hello --patch full", ["no patch", "full"]),
        ("probe Hello --top-k 0", ["top_k"]),
        ("evaluate bad.csv", ["bad.csv", "Row 2"]),
        ("edit good.csv --out good.csv/new", ["good.csv"]),
        ("probe caf\udcff", ["UTF-8"]),
        ("export --patch full --out new", ["no patch"]),
        ("export --patch full --out full", ["full", "exists"]),
    ],
)
def test_wrong_input_is_one_line_that_names_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str]
) -> None:
    monkeypatch.chdir(folder)
    ran = run(*command.split(), *(["--json"] if "facts" in command else []))
    assert (ran.code, ran.out) == (2, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in last
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    "command",
    ["edit good.csv", "edit good.csv --out new --epochs many", "edit", "nonsense", "probe",
     "edit good.csv --out new --pipeline sideways", "export --patch full"],
)  # fmt: skip
def test_a_command_used_wrongly_exits_with_2(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(folder)
    ran = run(*command.split())
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err and ran.err


def test_a_run_stopped_by_ctrl_c_resumes_to_the_same_patch(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    command = ["edit", "good.csv", "--epochs", "6", "--stop-loss", "0", "--json", "--out"]
    assert run(*command, "whole").code == 0

    original = LocftRun.events

    def interrupted(self: LocftRun) -> Iterator[Event]:
        for event in original(self):
            yield event
            if isinstance(event, EpochDone) and event.epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(LocftRun, "events", interrupted)
        stopped = run(*command, "parts")
    assert stopped.code == 130
    assert stopped.json["epochs"] == 2
    assert "--resume" in stopped.err
    assert Path(stopped.json["checkpoint"]).is_file()
    assert not Path("parts").exists()

    resumed = run(*command, "parts", "--resume")
    assert resumed.json["epochs"] == 6
    assert not Path(stopped.json["checkpoint"]).exists()
    whole, parts = Patch.load("whole").tensors, Patch.load("parts").tensors
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_patch_that_is_damaged_is_named(run: Run, edited: tuple[Path, Ran], folder: Path) -> None:
    broken = folder / "broken"
    broken.mkdir()
    for file in edited[0].iterdir():
        (broken / file.name).write_bytes(file.read_bytes()[:-100])
    ran = run("probe", "Hello", "--patch", broken)
    assert ran.code == 2
    assert "damaged" in ran.err


@pytest.mark.parametrize("command", ["probe Hello", "evaluate good.csv", "export --out new"])
def test_a_patch_whose_record_is_spoiled_is_refused_in_one_line(
    run: Run,
    edited: tuple[Path, Ran],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.chdir(folder)
    sound = Patch.load(edited[0])
    spoiled = {"base": {**sound.metadata["base"], "hashes": {}}}
    Patch(sound.tensors, sound.metadata | spoiled).save("spoiled")
    ran = run(*command.split(), "--patch", "spoiled")
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1 and "it would fit any" in ran.err
    assert not Path("new").exists()


def test_work_that_is_stopped_ends_its_command_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(stop: Stop) -> Work[None]:
        stop.ask()
        yield Progress(1, 2, "Half of it")
        stop.check()

    with pytest.raises(typer.Exit) as ended:
        watched_or_stopped("Working", work, "Stopped; nothing was kept.")
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped; nothing was kept.\n"
