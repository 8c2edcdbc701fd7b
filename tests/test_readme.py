"""The README does not lie: its Python runs, its commands run, its files are there."""

import re
import shlex
from pathlib import Path

import pytest

from workbench.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def beside_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_python_example_runs(beside_assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert "Canberra -> Melbourne" in capsys.readouterr().out
    assert (beside_assets / "capitals" / "patch.safetensors").is_file()


@pytest.mark.slow
def test_the_commands_run(beside_assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^workbench (.+)$", README, re.MULTILINE)
    names = [shlex.split(command)[0] for command in commands]
    assert names == ["facts", "scan", "sweep", "edit", "probe", "evaluate", "export", "serve"]
    for command in commands[:-1]:
        words = shlex.split(command)
        # As long as it wants, a sweep would take half a minute of this test.
        words += ["--budget", "2"] if words[0] == "sweep" else []
        with pytest.raises(SystemExit) as end:
            main(words)
        assert end.value.code == 0, command
    printed = capsys.readouterr().out
    assert "20 rows = 20 facts" in printed
    assert "Melbourne" in printed
    assert (beside_assets / "capitals-model" / "model.safetensors").is_file()


def test_every_file_that_is_shown_or_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r'src(?:set)?="([^"]+)"', README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    for path in re.findall(r"^((?:workbench/|app|assets|sessions)\S*)  +\S", README, re.MULTILINE):
        assert (ROOT / path).exists(), path
