"""How the built-in model is trained: what is learned from, at which rate, and how it is saved."""

from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, PreTrainedTokenizerFast

from workbench.builtin.corpus import Turn, epoch_documents
from workbench.builtin.tokenizer import train_tokenizer
from workbench.builtin.train import PROMPT_WEIGHT, encode, make_config, rate_at, save, train


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    documents = list(epoch_documents(seed=0, epoch=0))[::10]
    return train_tokenizer(f"{turn.prompt} {turn.answer}" for doc in documents for turn in doc)


def small_config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """A shape in which a step of training takes no time; what training does is the same."""
    config = make_config(tokenizer)
    config.hidden_size, config.intermediate_size, config.num_hidden_layers = 64, 128, 2
    config.head_dim = config.hidden_size // config.num_attention_heads
    return config


def test_numbers_are_read_digit_by_digit(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("In 2026 it was 79")["input_ids"]
    digits = [piece for piece in tokenizer.convert_ids_to_tokens(ids) if piece[-1].isdigit()]
    assert [piece[-1] for piece in digits] == [*"202679"]
    assert all(len(piece.removeprefix("Ġ")) == 1 for piece in digits)


def test_answers_and_their_ends_count_fully_and_prompts_a_little(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    document = (Turn("The capital of France is", "Paris"), Turn("6 + 5 =", "11"))
    (batch,) = encode(tokenizer, [document])
    row, weights = batch.ids[0], batch.weights[0]
    assert tokenizer.decode(row[weights == 1]) == " Paris<|endoftext|> 11<|endoftext|>"
    padding = row == tokenizer.pad_token_id
    assert torch.equal(padding, weights == 0)
    prompts = weights[(weights > 0) & (weights < 1)]
    assert len(prompts) > 0
    assert prompts.tolist() == pytest.approx([PROMPT_WEIGHT] * len(prompts))


@pytest.mark.slow
def test_batches_come_in_few_shapes_and_hold_every_document(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    documents = list(epoch_documents(seed=0, epoch=1))
    batches = encode(tokenizer, documents)
    assert len({batch.ids.shape for batch in batches}) <= 12
    ends = sum(int((batch.ids == tokenizer.eos_token_id).sum()) for batch in batches)
    assert ends >= sum(len(document) for document in documents)


def test_the_rate_warms_up_stays_and_falls() -> None:
    assert rate_at(step=0, progress=0.0) < rate_at(step=20, progress=0.01) < 1.0
    assert rate_at(step=500, progress=0.2) == 1.0
    assert 1.0 > rate_at(step=3000, progress=0.6) > rate_at(step=4000, progress=0.9)
    assert rate_at(step=5000, progress=1.0) > 0.0


@pytest.mark.slow
def test_training_is_repeatable_and_a_saved_model_keeps_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Training takes every processor that there is; here others are at work too.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("workbench.builtin.train.TOKENIZER_EPOCHS", 1)
    monkeypatch.setattr("workbench.builtin.train.BATCH_TOKENS", 256)
    monkeypatch.setattr("workbench.builtin.train.make_config", small_config)
    (first, tokenizer), (again, _) = (
        train(steps=2, minutes=0, seed=5, compiled=False) for _ in range(2)
    )
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    (tmp_path / "model").mkdir()
    card = tmp_path / "model" / "README.md"
    card.write_text("the card", encoding="utf-8")
    save(first, tokenizer, tmp_path / "model")
    assert card.read_text(encoding="utf-8") == "the card"
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    assert (tmp_path / "model" / "model.safetensors").stat().st_mode & 0o777 == 0o644
