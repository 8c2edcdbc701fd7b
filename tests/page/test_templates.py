"""HTML is in templates, scripts are in files of their own, and nothing gets round the escaping."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench

ROOT = Path(workbench.__file__).parent
# Parts whose HTML is in templates; each template lies in one of their folders.
OF_HTML = (ROOT / "page", ROOT / "measure" / "report")
FILES = sorted(path for part in OF_HTML for path in part.rglob("*.py"))
TEMPLATES = sorted(path for part in OF_HTML for path in (part / "templates").rglob("*.html"))
EVERY_FILE = sorted(ROOT.rglob("*.py"))
# `Markup` is made from text in one place only, and there by functions that say when.
MAKES_MARKUP = {"work/templates.py"}
TRUSTS = {
    *("work/templates.py", "page/kit/theme.py", "page/access/guard.py"),
    "measure/report/html.py",
    "measure/report/stress.py",
    "measure/report/study.py",
}
CHANGES_GRADIOS = {"page/still.py"}  # names words of a script that is not ours

TAG = re.compile(r"</|<!|<[a-z][a-z0-9]*[\s/>]|&(?:lt|gt|amp|quot|#\d+);|style=[\"']|class=[\"']")
JAVASCRIPT = re.compile(
    r"addEventListener|document\.|window\.|querySelector|=>\s*[{\[(]|\)\s*=>|\bconst \w+ ="
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text in code, those inside f-strings too, with its line; not what only explains."""
    explains = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in explains:
            continue
        if isinstance(node.value, str):
            yield node.lineno, node.value


def found(path: Path, pattern: re.Pattern[str]) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"line {line}: {text}" for line, text in texts(tree) if pattern.search(text)]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_tag_stands_in_code(path: Path) -> None:
    assert found(path, TAG) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_script_stands_in_code(path: Path) -> None:
    assert found(path, JAVASCRIPT) == [] or name_of(path) in CHANGES_GRADIOS
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg in ("js", "js_on_load"):
            assert not isinstance(node.value, ast.Constant | ast.JoinedStr), node.value.lineno


def test_what_looks_for_tags_and_scripts_finds_them(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        '"""Says <b>."""\na = f"<td>{1}</td>"\nb = "<br>"\nc = "() => {}"\nd = "a => b < c"\n'
    )
    assert len(found(code, TAG)) == 3
    assert len(found(code, JAVASCRIPT)) == 1


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_template_gets_round_the_escaping(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\|\s*safe\b|autoescape|Markup|__html__|<script(?! ?>\n\{\{ script)", source
    )
    # What is no text inside quotes would end at the first blank.
    assert not re.search(r"<[a-z][^<>{}]*=\{\{", source)


def test_only_one_file_makes_markup_from_text_and_few_say_what_is_trusted() -> None:
    makes, trusts = set(), set()
    for path in EVERY_FILE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called == "Markup" and node.args:
                makes.add(name_of(path))
            if called == "trusted":
                trusts.add(name_of(path))
    assert makes == MAKES_MARKUP
    assert trusts <= TRUSTS


def test_every_template_and_every_script_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in EVERY_FILE)
    code += "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    parts = {"page": ROOT / "page" / "templates", "report": OF_HTML[1] / "templates"}
    for name, folder in parts.items():
        for path in folder.rglob("*.html"):
            assert f'"{name}/{path.relative_to(folder).as_posix()}"' in code
    for path in (ROOT / "page" / "static").iterdir():
        assert f'"{path.name}"' in code
