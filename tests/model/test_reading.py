"""What a model is tried for when it is loaded: that it reads text alone, and never ahead."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertLMHeadModel, PreTrainedTokenizerFast

from tests.conftest import SMALL, tiny_network
from workbench.errors import ModelError
from workbench.model.load import prepare


def test_an_encoder_that_calls_itself_a_causal_model_is_refused(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    torch.manual_seed(0)
    network = BertLMHeadModel(BertConfig(**SMALL))
    with pytest.raises(ModelError, match="'tiny Bert' reads ahead: later tokens change"):
        prepare("tiny Bert", network, tokenizer)


def test_the_same_network_as_a_decoder_is_taken(tokenizer: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(0)
    network = BertLMHeadModel(BertConfig(**SMALL, is_decoder=True))
    assert prepare("tiny Bert", network, tokenizer).states_kept


def test_a_model_that_wants_more_than_text_is_refused_in_one_line(
    tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tiny_network("Llama")

    def wants_images(*args: object, **kwargs: object) -> Any:
        raise ValueError("You must specify pixel_values\nand more")

    monkeypatch.setattr(network, "forward", wants_images)
    with pytest.raises(ModelError, match=r"cannot read text alone \(You must specify pixel_val"):
        prepare("picture", network, tokenizer)


def test_a_model_that_predicts_for_the_last_token_alone_is_refused(
    tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tiny_network("Llama")
    whole = network.forward

    def last(*args: Any, **kwargs: Any) -> Any:
        return SimpleNamespace(logits=whole(*args, **kwargs).logits[:, -1:])

    monkeypatch.setattr(network, "forward", last)
    with pytest.raises(ModelError, match="gives 1 predictions for 12 tokens"):
        prepare("last", network, tokenizer)
