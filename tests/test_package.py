"""The package as a whole: who may import what, what is exported, what a wheel carries."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import workbench
from tests.imports import ROOT, circles, imports, loaded_by, modules

HEAVY = {"torch", "transformers"}
DRAWN = {"gradio", "plotly", "fastapi"}

# Each room of the house: the rooms it may import, and the libraries it may not. What stands
# higher knows nothing of what stands lower.
ROOMS: dict[str, tuple[str, set[str]]] = {
    "errors": ("", HEAVY | DRAWN),
    "paths": ("", HEAVY | DRAWN),
    "_version": ("", HEAVY | DRAWN),
    "work": ("errors paths", HEAVY | DRAWN),
    "facts": ("errors paths work", HEAVY | DRAWN),
    "model": ("errors paths work facts", DRAWN),
    "measure": ("errors paths _version work facts model", DRAWN),
    "methods": ("errors paths _version work facts model measure", DRAWN),
    "search": ("errors paths work facts model measure methods", DRAWN),
    "ship": ("errors paths work facts model measure methods", DRAWN),
    "actions": ("errors paths work facts model measure methods search ship", HEAVY | DRAWN),
    "api": ("errors paths work facts model measure methods search ship actions", DRAWN),
    "plots": ("work search measure", HEAVY | {"gradio", "fastapi"}),
    "store": ("errors paths work facts model measure methods search ship actions", HEAVY | DRAWN),
    "worker": ("errors paths work facts model measure methods search ship actions store", DRAWN),
    "remote": (
        "errors paths _version work facts model measure methods search ship actions store worker",
        HEAVY | {"gradio", "plotly"},
    ),
    "page": (
        "errors paths _version work facts model measure methods search ship actions plots store "
        "worker remote",
        HEAVY,
    ),
    "serving": (
        "errors paths work facts model measure methods search ship actions store worker page",
        {"gradio", "plotly"},
    ),
    "cli": (
        "errors paths _version work facts model measure methods search ship actions",
        HEAVY | DRAWN,
    ),
    "builtin": ("paths facts", DRAWN),
    "__init__": ("_version", HEAVY | DRAWN),
    "__main__": ("cli", HEAVY | DRAWN),
}
# What is imported by a function when it is called: too heavy to load for whoever does not call it.
WHEN_CALLED = {
    "cli": {"api", "page", "plots", "remote", "serving", *HEAVY},
}
# Modules that everybody may import: they never load torch, neither themselves nor through others.
PLAIN = [
    "workbench",
    "workbench.actions",
    "workbench.cli",
    "workbench.measure.capability_result",
    "workbench.measure.evaluation",
    "workbench.measure.evaluation_settings",
    "workbench.measure.groups",
    "workbench.measure.health_result",
    "workbench.measure.probe_settings",
    "workbench.measure.protocols",
    "workbench.measure.report",
    "workbench.measure.report.contents",
    "workbench.measure.report.stress",
    "workbench.measure.report.write",
    "workbench.measure.stress_result",
    "workbench.measure.stress_settings",
    "workbench.measure.verdicts",
    "workbench.methods.base",
    "workbench.methods.events",
    "workbench.methods.locft_settings",
    "workbench.methods.plan_result",
    "workbench.methods.plan_settings",
    "workbench.model.choice",
    "workbench.model.location",
    "workbench.model.patch_record",
    "workbench.model.presets",
    "workbench.page.app",
    "workbench.page.server",
    "workbench.plots.scan",
    "workbench.plots.sweep",
    "workbench.remote.http",
    "workbench.remote.mcp",
    "workbench.search.recommend",
    "workbench.search.sample",
    "workbench.search.scan_result",
    "workbench.search.scan_settings",
    "workbench.search.score",
    "workbench.search.stages",
    "workbench.search.study_events",
    "workbench.search.study_result",
    "workbench.search.study_settings",
    "workbench.search.sweep_events",
    "workbench.search.sweep_settings",
    "workbench.ship.export_settings",
    "workbench.ship.run_lines",
    "workbench.ship.serve_settings",
    "workbench.ship.verify_settings",
    "workbench.store",
    "workbench.store.library",
    "workbench.worker.supervisor",
]


def room_of(module: str) -> str:
    """The room that a module is in; the package itself is ``__init__``."""
    return module.split(".")[1] if "." in module else "__init__"


def test_every_room_has_its_line_in_the_table() -> None:
    assert {room_of(module) for module in modules()} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    may, never = ROOMS[room]
    for module in modules():
        if room_of(module) != room:
            continue
        for found in imports(module):
            library = found.module.split(".")[0]
            ours = library == "workbench"
            other = room_of(found.module) if ours else library
            if other in (room, "__init__") or (room == "__init__" and found.when == "for types"):
                continue
            if found.when != "on import" and other in WHEN_CALLED.get(room, ()):
                continue
            assert other in may.split() if ours else other not in never, (module, found)


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    knows: dict[str, set[str]] = {}
    for module in modules():
        # The package names its parts for types only, and loads them when they are asked for.
        if module != "workbench":
            rooms = {room_of(found.module) for found in imports(module) if is_ours(found.module)}
            knows.setdefault(room_of(module), set()).update(rooms - {room_of(module), "__init__"})
    assert circles(knows) == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    knows = {
        module: {
            found.module
            for found in imports(module)
            if found.when != "for types" and found.module in modules()
        }
        - {module, "workbench"}
        for module in modules()
    }
    assert circles(knows) == []


def is_ours(module: str) -> bool:
    """Whether a module is one of the package's."""
    return module.split(".")[0] == "workbench"


@pytest.mark.parametrize("module", PLAIN)
def test_a_plain_module_loads_neither_torch_nor_the_protocol_of_agents(module: str) -> None:
    loaded = loaded_by(module)
    for library in (HEAVY | {"mcp"}) & set(loaded):
        way = [library]
        while way[-1] != module:
            way.append(loaded[way[-1]])
        pytest.fail(" is imported by ".join(way))


@pytest.mark.slow
def test_the_page_and_the_commands_never_load_torch() -> None:
    code = f"import sys, {', '.join(PLAIN)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert {"workbench.page.app", "workbench.page.server", "gradio"} <= set(loaded.stdout.split())
    assert not HEAVY & set(loaded.stdout.split())


def test_every_module_says_what_it_is_and_what_it_gives() -> None:
    for module, path in modules().items():
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        gives = path.name in ("__init__.py", "__main__.py", "_version.py") or "__all__ = [" in text
        assert gives, f"{module} has no __all__"


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


@pytest.mark.slow
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
