"""A model that looks ahead is found by what it does; one that does not is left alone."""

import pytest
import torch
import transformers

from tests.conftest import ARCHITECTURES, byte_tokenizer, tiny_network
from workbench.errors import ModelError
from workbench.model.causality import require_causal
from workbench.model.load import prepare


@pytest.mark.filterwarnings("ignore")
def test_an_encoder_is_known_by_what_it_does() -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        vocab_size=260,
    )
    network = transformers.BertLMHeadModel(config)
    with pytest.raises(ModelError, match="'in memory' looks at the text that comes after"):
        prepare("in memory", network, byte_tokenizer())
    network.config.is_decoder = config.is_decoder = True
    again = transformers.BertLMHeadModel(network.config)
    assert prepare("in memory", again, byte_tokenizer()).layer_count == 2


def test_a_network_that_cannot_be_run_is_told_in_words() -> None:
    network = tiny_network("Llama")
    network.model.layers[2].mlp.down_proj.weight.data = torch.zeros(3, 3)
    with pytest.raises(ModelError, match=r"'spoiled' cannot be run: mat1 and mat2 .*\. Its config"):
        prepare("spoiled", network, byte_tokenizer())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_decoder_is_taken_for_an_encoder(name: str, dtype: torch.dtype) -> None:
    require_causal(prepare(name, tiny_network(name, dtype), byte_tokenizer()))
