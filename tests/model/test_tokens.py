"""Facts as tokens: what is read, what is predicted, and nothing lost in padding."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from workbench.errors import ModelError
from workbench.model.tokens import TokenTable, tokenize


def test_the_target_gets_one_leading_space_and_ends_with_eos(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    (text,) = tokenize(tokenizer, ["It is"], ["red"])
    assert tokenizer.decode(text.prompt) == "It is"
    assert tokenizer.decode(text.target) == " red<eos>"
    assert tokenize(tokenizer, ["It is"], [" red"]) == [text]


def test_a_prompt_keeps_its_own_tokens_when_the_target_would_merge_with_it() -> None:
    vocabulary = {"a": 0, " ": 1, "a b": 2, "b": 3, "<eos>": 4, " b": 5}
    core = Tokenizer(models.BPE(vocabulary, [(" ", "b"), ("a", " b")]))
    merging = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<eos>")
    (text,) = tokenize(merging, ["a"], ["b"])
    assert (text.prompt, text.target) == ((0,), (5, 4))


def test_a_tokenizer_without_eos_is_refused_with_what_to_do() -> None:
    core = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ModelError, match="eos_token"):
        tokenize(PreTrainedTokenizerFast(tokenizer_object=core), ["a"], ["a"])


def test_a_batch_holds_each_text_and_points_at_its_targets(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    prompts, targets = ["One", "A longer prompt", "Three"], ["two", "x", "a long answer"]
    texts = tokenize(tokenizer, prompts, targets)
    rows = [2, 0]
    batch = TokenTable(texts, torch.device("cpu")).batch(rows)
    for place, row in enumerate(rows):
        text = texts[row]
        assert tuple(batch.input_ids[place, : text.length].tolist()) == text.inputs
        assert tuple(batch.targets[batch.text_of_target == place].tolist()) == text.target
        predicted_at = batch.is_target[place].nonzero()[:, 0]
        assert predicted_at[0] == len(text.prompt) - 1
        assert predicted_at[-1] == text.length - 1
    counts = batch.sum_by_text(torch.ones(len(batch.targets)))
    assert counts.tolist() == [len(texts[2].target), len(texts[0].target)]
