"""What a run holds at most is foretold by what it really holds."""

import weakref
from collections.abc import Iterable
from typing import Any

import pytest
import torch
import transformers
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.conftest import byte_tokenizer, facts_to_learn
from workbench.methods import held
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    """Random, but so wide that its states and weights are most of what is held."""
    config = transformers.LlamaConfig(
        vocab_size=4000,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    torch.manual_seed(0)
    network = transformers.LlamaForCausalLM(config).eval()
    return prepare("tiny Llama", network, byte_tokenizer())


class Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that are made in its block, until they are gone.

    Args:
        there: those that were there before.
    """

    now = most = 0

    def __init__(self, there: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known: dict[int, weakref.ref[Any]] = {}
        for tensor in there:
            self._see(tensor.untyped_storage())
        self.now = self.most = 0

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = call(*args, **(kwargs or {}))
        for tensor in filter(torch.is_tensor, tree_leaves(made)):
            self._see(tensor.untyped_storage())
        return made

    def _see(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def gone(_: Any) -> None:
            del self._known[key]
            self.now -= size

        self._known[key] = weakref.ref(storage, gone)
        self.now += size
        self.most = max(self.most, self.now)


@pytest.mark.slow
@pytest.mark.parametrize(("at", "recipe"), [(0, "published"), (3, "published"), (3, "holds")])
def test_the_most_that_a_run_holds_is_foretold(
    model: LanguageModel, at: int, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "WORKSPACE", {})  # tensors alone are counted here
    settings = EditSettings.from_dict(
        {"at": f"{at}.mlp.down_proj", "recipe": recipe, "epochs": 1, "skip_loss": 0.0}
    )
    with Held(model.network.parameters()) as seen:
        run = LocftRun(model, facts_to_learn(), settings)
        told = run.plan().memory_bytes
        for _ in run.events():
            pass
    assert told == pytest.approx(seen.most, rel=0.2)
