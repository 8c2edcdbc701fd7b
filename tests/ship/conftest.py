"""A tiny model with an edit of one whole layer, which all tests of shipping take with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import facts_to_learn
from tests.offenders import tiny_checkpoint
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch

FACTS = facts_to_learn()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("shipped") / "plain")


@pytest.fixture(scope="session")
def loaded(checkpoint: Path) -> LanguageModel:
    return load_model(str(checkpoint), device="cpu")


@pytest.fixture
def base(loaded: LanguageModel) -> Iterator[LanguageModel]:
    """The model; whatever is done with it must leave it as it was."""
    before = {name: value.clone() for name, value in loaded.network.named_parameters()}
    modules = {name: type(module) for name, module in loaded.network.named_modules()}
    yield loaded
    after = dict(loaded.network.named_parameters())
    assert before.keys() == after.keys()
    assert all(bool((after[name] == value).all()) for name, value in before.items())
    assert modules == {name: type(module) for name, module in loaded.network.named_modules()}


@pytest.fixture(scope="session")
def layer_patch(loaded: LanguageModel) -> Patch:
    """An edit of a whole layer: attention, MLP and norms."""
    return edit(loaded, FACTS, at="2", learning_rate=1e-2, batch_size=7, epochs=25).patch


@pytest.fixture(scope="session")
def matrix_patch(loaded: LanguageModel) -> Patch:
    """An edit of one matrix."""
    options: dict[str, Any] = {"learning_rate": 2e-2, "batch_size": 7, "epochs": 110}
    return edit(loaded, FACTS, at="2.mlp.down_proj", **options).patch
