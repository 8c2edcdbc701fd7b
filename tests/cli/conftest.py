"""Commands run in this process, on the built-in model, with their output caught."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main
from workbench.paths import assets_dir


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout; fails when there is anything else."""
        return json.loads(self.out)


Run = Callable[..., Ran]


def run_command(*words: object) -> Ran:
    """Runs a command as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def run() -> Run:
    return run_command


@pytest.fixture(scope="session")
def sample() -> Path:
    return assets_dir() / "samples" / "facts_20.csv"


@pytest.fixture(scope="session")
def edited(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """The patch of the sample facts, and the command that made it."""
    folder = tmp_path_factory.mktemp("cli") / "patch"
    return folder, run_command("edit", sample, "--out", folder, "--json")
