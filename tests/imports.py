"""Who imports whom in the package, read from its source: nothing is imported for it.

Imports inside functions are told apart, since they are not done when the module is imported;
those under TYPE_CHECKING never are, and still say who knows whom.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["ROOT", "Import", "circles", "imports", "loaded_by", "modules"]

ROOT = Path(__file__).resolve().parent.parent
When = Literal["on import", "when called", "for types"]


@dataclass(frozen=True)
class Import:
    """One module that another one imports."""

    module: str
    when: When


@cache
def modules() -> dict[str, Path]:
    """Every module of the package with its file."""
    found = {}
    for path in sorted((ROOT / "workbench").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> frozenset[Import]:
    """What a module of the package imports."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return frozenset(_imports(tree, "on import"))


def _imports(node: ast.AST, when: When) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = when
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = "when called"
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            inside = "for types"
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, when) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.module is not None and child.level == 0, "imports are absolute here"
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                yield Import(whole if whole in modules() else child.module, when)
        yield from _imports(child, inside)


def loaded_by(module: str) -> dict[str, str]:
    """Everything that importing a module imports, each with the module that asks for it."""
    asked_by: dict[str, str] = {}
    waiting = [module]
    while waiting:
        one = waiting.pop()
        for found in imports(one):
            if found.when != "on import":
                continue
            parents = found.module.split(".")
            for end in range(1, len(parents) + 1):
                name = ".".join(parents[:end])
                if name not in asked_by:
                    asked_by[name] = one
                    waiting += [name] if name in modules() else []
    return asked_by


def circles(knows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of names of which each leads to every other, sorted; none in a layered graph."""
    reached = {name: _reached(name, knows) for name in knows}
    groups = {
        tuple(sorted({name} | {other for other in reached[name] if name in reached.get(other, ())}))
        for name in knows
        if name in reached[name]
    }
    return [list(group) for group in sorted(groups)]


def _reached(name: str, knows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = knows.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
