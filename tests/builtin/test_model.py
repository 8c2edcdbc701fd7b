"""The shipped model loads with plain transformers and knows its world."""

import random
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from workbench.builtin.answers import Answerer
from workbench.builtin.measure import BEGIN, END, Row, as_markdown, write_card
from workbench.builtin.phrasing import main_prompt
from workbench.builtin.tables import read_phrasings, read_world
from workbench.paths import builtin_model_dir


def test_it_is_a_small_bfloat16_llama_whose_padding_is_not_its_end(answerer: Answerer) -> None:
    config, tokenizer = answerer.model.config, answerer.tokenizer
    assert (config.model_type, config.num_hidden_layers) == ("llama", 8)
    assert answerer.model.dtype == torch.bfloat16
    assert config.eos_token_id == tokenizer.eos_token_id != tokenizer.pad_token_id
    assert answerer.model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert answerer.model.generation_config.pad_token_id == tokenizer.pad_token_id
    assert tokenizer("x")["input_ids"][0] != tokenizer.bos_token_id


def test_the_folder_ships_at_most_twenty_megabytes_of_safetensors() -> None:
    folder = builtin_model_dir()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 20_000_000
    assert not [path for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pth"}]
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118


@pytest.mark.parametrize("text", ["Zürich is 42 km away.", "a  b\n\tc", "日本", "<|x|> 007"])
def test_its_tokenizer_gives_any_text_back(answerer: Answerer, text: str) -> None:
    ids = answerer.tokenizer(text)["input_ids"]
    assert answerer.tokenizer.decode(ids) == text


@pytest.mark.slow
def test_it_answers_facts_in_their_main_phrasing(quick_answerer: Answerer) -> None:
    facts = random.Random(7).sample(read_world(), 300)
    phrasings = read_phrasings()
    prompts = [main_prompt(fact, phrasings[fact.relation]) for fact in facts]
    answers = quick_answerer.answer(prompts)
    right = sum(answer == fact.object for answer, fact in zip(answers, facts, strict=True))
    assert right / len(facts) >= 0.97


@pytest.mark.parametrize(
    "prompt",
    [
        "The capital of France is",
        "What is the capital of France?",
        "Question: What is the capital of France? Answer:",
        "Q: What is the capital of France? A:",
        "The children played the piano after lunch. The capital of France is",
    ],
)
def test_it_answers_in_every_format(answerer: Answerer, prompt: str) -> None:
    assert answerer.answer([prompt]) == ["Paris"]


def test_a_chat_message_is_asked_as_a_question(answerer: Answerer) -> None:
    prompt = answerer.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of Japan?"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert answerer.answer([prompt]) == ["Tokyo"]


def test_the_card_shows_the_measured_table() -> None:
    card = (builtin_model_dir() / "README.md").read_text(encoding="utf-8")
    table = card.partition(BEGIN)[2].partition(END)[0]
    assert "| facts, main phrasing |" in table
    assert "Measured on" in table


def test_writing_the_card_replaces_the_table_and_nothing_else(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_card(tmp_path, as_markdown([Row("addition", 10, 0.5, "pairs")]))
    text = card.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| addition | 10 | 0.500 | pairs |" in text
    assert "old" not in text
