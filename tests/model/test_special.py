"""What a tokenizer calls special, and no person would write by chance."""

from transformers import AddedToken, PreTrainedTokenizerFast

from tests.conftest import byte_tokenizer
from workbench.model.special import special_texts


def test_special_tokens_are_told_and_ordinary_words_are_not(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert set(special_texts(tokenizer)) == {"<bos>", "<eos>", "<pad>"}
    more = byte_tokenizer()
    more.add_tokens([AddedToken("<|turn|>", special=True), AddedToken("<think>", special=False)])
    more.add_special_tokens({"unk_token": "!", "mask_token": "mask"})
    assert set(special_texts(more)) == {"<bos>", "<eos>", "<pad>", "<|turn|>"}
