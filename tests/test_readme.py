"""README and docs do not lie: the Python runs, the commands run, files and headings are there."""

import re
import shlex
from pathlib import Path

import pytest

from workbench.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def headings(document: Path) -> set[str]:
    """The anchors of a document, as a forge makes them from its headings."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in lines}


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
    assert (beside_assets / "first-patch" / "patch.safetensors").is_file()


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_and_heading_that_is_shown_or_linked_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^):]+)\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    for link in links:
        name, _, anchor = link.partition("#")
        there = document.parent / name if name else document
        assert there.exists(), link
        if anchor:
            assert anchor in headings(there), link


def test_every_document_is_named_in_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+)\)", README))
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    for path in re.findall(r"^((?:workbench/|app|assets|sessions)\S*)  +\S", README, re.MULTILINE):
        assert (ROOT / path).exists(), path
