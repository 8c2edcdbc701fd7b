"""The package as a whole: who may import what, what is exported, what a wheel carries."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import workbench

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "facts": {"torch", "transformers", "gradio", "plotly", "workbench.model"},
    "store": {"torch", "transformers", "gradio", "plotly", "workbench.model.load"},
    "page": {"torch", "transformers", "workbench.model.load", "workbench.worker.workshop"},
}


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("part", FORBIDDEN)
def test_each_part_imports_only_what_it_may(part: str) -> None:
    files = sorted((ROOT / "workbench" / part).rglob("*.py"))
    assert files
    for path in files:
        for name in imports_of(path):
            for forbidden in FORBIDDEN[part]:
                assert name != forbidden and not name.startswith(forbidden + "."), (path, name)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, workbench; workbench.Fact; workbench.EditSettings; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "workbench.facts.fact" in loaded.stdout.split()
    assert not {"torch", "transformers", "gradio"} & set(loaded.stdout.split())


def test_everything_exported_is_there() -> None:
    for name in workbench.__all__:
        assert getattr(workbench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = workbench.nonsense


def test_no_file_speaks_of_a_host_outside() -> None:
    for path in (ROOT / "workbench").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "cdn." not in text and "GoogleFont" not in text, path


def test_a_wheel_carries_the_assets(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for asset in ("builtin/model.safetensors", "builtin/tokenizer.json", "samples/facts_20.csv"):
        assert f"workbench/assets/{asset}" in names
    assert "workbench/builtin/world/countries.csv" in names
