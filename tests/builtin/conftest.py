"""The shipped model, loaded once for all tests of this folder."""

import pytest

from workbench.builtin.answers import Answerer
from workbench.paths import builtin_model_dir


@pytest.fixture(scope="session")
def answerer() -> Answerer:
    return Answerer(builtin_model_dir())


@pytest.fixture(scope="session")
def quick_answerer() -> Answerer:
    """The same weights as float32, as a CPU computes with them: for hundreds of prompts."""
    answerer = Answerer(builtin_model_dir())
    answerer.model.float()
    return answerer
