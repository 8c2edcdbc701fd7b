"""A checkpoint's own settings touch no answer of ours, unless somebody asks for them."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from tests.conftest import facts_to_learn
from tests.offenders import OFFENDERS, UNUSABLE, shipping, tiny_checkpoint
from workbench.errors import ModelError
from workbench.measure.evaluate import evaluate
from workbench.measure.health import measure_health
from workbench.measure.strict import strict_matches
from workbench.methods.edit import edit
from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.shipped import Shipped, read_shipped
from workbench.model.tokens import TokenTable, tokenize

pytestmark = pytest.mark.slow

PROMPTS = ["Hello there", "A", "The capital of Peru is"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("shipped") / "plain")


@pytest.fixture(scope="module")
def plain(checkpoint: Path) -> list[Answer]:
    """What is said when nothing special is shipped."""
    return generate(load_model(str(checkpoint), device="cpu"), PROMPTS)


def shipped(checkpoint: Path, folder: Path, generation: dict[str, Any] | str) -> LanguageModel:
    return load_model(str(shipping(checkpoint, folder, generation)), device="cpu")


@pytest.mark.parametrize("name", OFFENDERS)
def test_a_shipped_setting_leaves_greedy_answers_as_they_are(
    name: str, checkpoint: Path, plain: list[Answer], tmp_path: Path
) -> None:
    model = shipped(checkpoint, tmp_path / "model", {name: OFFENDERS[name]})
    assert generate(model, PROMPTS) == plain


@pytest.mark.parametrize("name", UNUSABLE)
def test_settings_that_transformers_refuses_to_read_do_not_stand_in_the_way(
    name: str, checkpoint: Path, plain: list[Answer], tmp_path: Path
) -> None:
    model = shipped(checkpoint, tmp_path / "model", {name: UNUSABLE[name]})
    assert generate(model, PROMPTS) == plain
    with pytest.raises(ModelError, match="cannot answer as it is shipped"):
        generate(model, PROMPTS, as_shipped=True)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_a_file_of_generation_settings_that_is_none_does_not_stand_in_the_way(
    text: str, checkpoint: Path, plain: list[Answer], tmp_path: Path
) -> None:
    assert generate(shipped(checkpoint, tmp_path / "model", text), PROMPTS) == plain


def test_settings_that_older_checkpoints_keep_in_config_json_count_as_little(
    checkpoint: Path, plain: list[Answer], tmp_path: Path
) -> None:
    older = shipping(checkpoint, tmp_path / "older", config={"repetition_penalty": 1.8})
    model = load_model(str(older), device="cpu")
    assert generate(model, PROMPTS) == plain
    assert "repetition penalty 1.8" in generate(model, PROMPTS, as_shipped=True)[0].how


def test_the_tokens_that_end_an_answer_are_taken_over(
    checkpoint: Path, plain: list[Answer], tmp_path: Path
) -> None:
    end = plain[0].tokens[3]
    model = shipped(checkpoint, tmp_path / "model", {"eos_token_id": [end, 257]})
    (answer,) = generate(model, PROMPTS[:1])
    assert answer.tokens == plain[0].tokens[: plain[0].tokens.index(end) + 1]
    assert answer.ended
    model = shipped(checkpoint, tmp_path / "odd", {"eos_token_id": "<eos>", "pad_token_id": [1]})
    assert generate(model, PROMPTS) == plain


@pytest.mark.parametrize("path", ["", "no such/thing/here", "weights.gguf", "two\nlines"])
def test_where_no_settings_are_shipped_there_is_no_problem_with_them(
    path: str, tmp_path: Path
) -> None:
    (tmp_path / "weights.gguf").write_bytes(b"GGUF")
    assert read_shipped(str(tmp_path / path), local_files_only=True) == Shipped()
    if path:
        assert read_shipped(path, local_files_only=True) == Shipped()


VALUES: dict[str, list[Any]] = {name: [value] for name, value in OFFENDERS.items()} | {
    "repetition_penalty": [0.7, 1.05, 2.0],
    "min_new_tokens": [1, 3, 30],
    "temperature": [0.1, 2.0],
    "top_k": [1, 3],
    "num_beams": [2, 5],
    "no_repeat_ngram_size": [1, 2],
}


def drawn(seed: int) -> dict[str, Any]:
    """Some generation settings, each with some value."""
    luck = random.Random(seed)
    return {name: luck.choice(VALUES[name]) for name in luck.sample(sorted(VALUES), 4)}


@pytest.fixture(scope="module")
def edited(checkpoint: Path) -> Mapping[str, torch.Tensor]:
    """Weights that know some of the facts, and not all."""
    model = load_model(str(checkpoint), device="cpu")
    return edit(
        model, facts_to_learn(), at="2", learning_rate=1e-2, batch_size=7, epochs=20
    ).patch.tensors


@pytest.mark.parametrize("seed", range(30))
def test_strict_is_right_exactly_where_generation_gives_target_and_eos(
    seed: int, checkpoint: Path, edited: Mapping[str, torch.Tensor], tmp_path: Path
) -> None:
    model = shipped(checkpoint, tmp_path / "model", drawn(seed))
    facts = facts_to_learn()
    asked = [fact.prompt for fact in facts] * 2
    wanted = [fact.target_new for fact in facts] + [fact.target_new[:2] for fact in facts]
    texts = tokenize(model.tokenizer, asked, wanted)
    with model.with_weights(edited):
        right = strict_matches(model, TokenTable(texts, model.device))
        answers = generate(model, asked)
    said = [answer.tokens == text.target for answer, text in zip(answers, texts, strict=True)]
    assert said == right
    assert {True, False} == set(right)


def test_the_look_at_the_writing_is_the_same_whatever_is_shipped(
    checkpoint: Path, tmp_path: Path
) -> None:
    alone = load_model(str(checkpoint), device="cpu")
    bent = shipped(
        checkpoint,
        tmp_path / "model",
        {"repetition_penalty": 1.9, "bad_words_ids": OFFENDERS["bad_words_ids"], "top_p": 0.1}
        | {"return_dict_in_generate": True, "temperature": 3.0, "do_sample": True},
    )
    facts = facts_to_learn()
    assert measure_health(bent, facts) == measure_health(alone, facts)


def test_what_is_measured_is_the_same_whatever_is_shipped(
    checkpoint: Path, edited: Mapping[str, torch.Tensor], tmp_path: Path
) -> None:
    alone = load_model(str(checkpoint), device="cpu")
    settings = {"repetition_penalty": 1.05, "min_new_tokens": 9, "suppress_tokens": [82, 111]}
    bent = shipped(checkpoint, tmp_path / "model", settings)
    measured = []
    for model in (alone, bent):
        with model.with_weights(edited):
            measured.append(evaluate(model, facts_to_learn()).as_dict()["before"])
    assert measured[0] == measured[1]
    assert measured[0]["reliability_generated"] > 0


def test_after_an_answer_the_model_has_its_own_settings_again(
    checkpoint: Path, tmp_path: Path
) -> None:
    model = shipped(checkpoint, tmp_path / "model", {"repetition_penalty": 1.3, "top_k": 7})
    own = model.network.generation_config
    before = own.to_dict()
    generate(model, PROMPTS)
    generate(model, PROMPTS, as_shipped=True)
    assert model.network.generation_config is own and own.to_dict() == before


def test_a_way_to_generate_that_comes_with_a_checkpoint_is_not_ours(
    checkpoint: Path, plain: list[Answer]
) -> None:
    def nonsense(**_: object) -> None:
        raise AssertionError("asked")

    model = load_model(str(checkpoint), device="cpu")
    model.network.generate = nonsense
    assert generate(model, PROMPTS) == plain
    assert model.network.generate is nonsense


@pytest.mark.parametrize("name", OFFENDERS)
def test_as_shipped_gives_an_answer_that_names_the_settings_or_says_why_not(
    name: str, checkpoint: Path, tmp_path: Path
) -> None:
    model = shipped(checkpoint, tmp_path / "model", {name: OFFENDERS[name]})
    try:
        answers = generate(model, PROMPTS, as_shipped=True, max_new_tokens=6)
    except ModelError as error:
        assert "cannot answer as it is shipped" in str(error) and "\n" not in str(error)
        return
    assert all(answer.how.startswith("as shipped · ") for answer in answers)
    assert all(len(answer.tokens) <= 6 for answer in answers)


def test_as_shipped_is_what_plain_transformers_says(checkpoint: Path, tmp_path: Path) -> None:
    settings = {"repetition_penalty": 1.7, "no_repeat_ngram_size": 2}
    model = shipped(checkpoint, tmp_path / "model", settings)
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    for prompt, answer in zip(PROMPTS, generate(model, PROMPTS, as_shipped=True), strict=True):
        asked = model.tokenizer(prompt, return_tensors="pt")
        said = network.generate(**asked, max_new_tokens=32)[0, asked["input_ids"].shape[1] :]
        assert list(answer.tokens) == said.tolist()
        assert answer.how == (
            "as shipped · greedy · no repeat ngram size 2 · repetition penalty 1.7"
        )


def test_what_is_drawn_as_shipped_is_drawn_alike_and_leaves_other_draws_alone(
    checkpoint: Path, tmp_path: Path
) -> None:
    settings = {"do_sample": True, "temperature": 20.0, "top_k": 200}
    model = shipped(checkpoint, tmp_path / "model", settings)
    state = torch.get_rng_state()
    first = generate(model, PROMPTS, as_shipped=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == generate(model, PROMPTS, as_shipped=True)
    assert first[0].tokens != generate(model, PROMPTS)[0].tokens
    assert first[0].how.startswith("as shipped · sampled, seed 0 · ")


def test_what_a_watcher_raises_is_passed_on_as_shipped_too(checkpoint: Path) -> None:
    class Enough(Exception):
        pass

    def watch(texts: dict[int, str]) -> None:
        raise Enough

    with pytest.raises(Enough):
        generate(load_model(str(checkpoint), device="cpu"), PROMPTS, as_shipped=True, on_text=watch)


def test_a_setting_given_to_a_model_in_memory_counts_as_little(
    checkpoint: Path, plain: list[Answer]
) -> None:
    model = load_model(str(checkpoint), device="cpu")
    model.network.generation_config = GenerationConfig(repetition_penalty=1.8, eos_token_id=257)
    assert generate(model, PROMPTS) == plain
