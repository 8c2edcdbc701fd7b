"""Inside a model: an answer's way through the layers, the words that matter, facts as tokens."""

import pytest
import torch

from workbench.facts import Fact
from workbench.methods.edit import edit
from workbench.model.forms import tokenize_form
from workbench.model.generate import generate
from workbench.model.inside import answer_by_layer, pull_of_words, without_end
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.shown_tokens import fact_texts, shown_text
from workbench.model.tokens import TokenizedText

AUSTRALIA = Fact("The capital of Australia is", "Melbourne", ground_truth="Canberra")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


def text_of(model: LanguageModel, answer: str) -> TokenizedText:
    fact = Fact(AUSTRALIA.prompt, answer)
    return without_end(tokenize_form(model.tokenizer, [fact], "raw", None)[0])


def test_the_last_layer_says_what_the_model_says_and_an_edit_shows_from_its_layer_on(
    model: LanguageModel,
) -> None:
    new, old = text_of(model, "Melbourne"), text_of(model, "Canberra")
    base = answer_by_layer(model, new)
    assert len(base) == model.layer_count + 1
    (said,) = generate(model, [AUSTRALIA.prompt])
    if len(old.target) == 1:
        assert answer_by_layer(model, old)[-1] == pytest.approx(said.top[0][1], rel=1e-4)
    done = edit(model, [AUSTRALIA])
    layer = done.patch.lowest_layer
    with done.patch.applied(model):
        after = answer_by_layer(model, new)
    assert after[: layer + 1] == pytest.approx(base[: layer + 1], rel=1e-4)
    assert base[-1] < 0.1 < 0.5 < after[-1]
    assert answer_by_layer(model, new) == base


def test_the_words_add_up_to_the_slope_of_the_answer_along_its_prompt(
    model: LanguageModel,
) -> None:
    text = text_of(model, "Canberra")
    parts = pull_of_words(model, text)
    assert len(parts) == len(text.prompt)
    embedding = model.network.get_input_embeddings()
    step = 1e-3
    likely = []
    for scale in (1 - step, 1 + step):

        def stretch(_: object, __: object, output: torch.Tensor, by: float = scale) -> object:
            grown = output.clone()
            grown[:, : len(text.prompt)] *= by
            return grown

        hook = embedding.register_forward_hook(stretch)
        likely.append(torch.tensor(answer_by_layer(model, text)[-1]).log().item())
        hook.remove()
    assert sum(parts) == pytest.approx((likely[1] - likely[0]) / (2 * step), rel=0.05, abs=0.02)
    assert all(not parameter.requires_grad for parameter in model.network.parameters())


def test_a_fact_is_shown_in_each_form_with_what_is_in_the_loss(model: LanguageModel) -> None:
    texts = fact_texts(model.tokenizer, AUSTRALIA, model.longest)
    assert {text.form for text in texts} == {"raw", "question", "chat"}
    for text in texts:
        said = [token.text for token in text.tokens if token.in_loss and not token.special]
        assert "".join(said).strip() == "Melbourne"
        # In every form it is what the model itself would write: the blank is the first token's.
        assert said[0].startswith(" ")
        assert text.tokens[-1].special and text.tokens[-1].in_loss and not text.doubts


def test_a_second_beginning_a_missing_blank_and_a_missing_end_are_told(
    model: LanguageModel,
) -> None:
    tokenizer = model.tokenizer
    ids = tokenizer("Ro", add_special_tokens=False)["input_ids"]
    twice = (tokenizer.eos_token_id,) * 2
    kept = tokenizer.bos_token
    try:
        tokenizer.bos_token = tokenizer.eos_token
        shown = shown_text(tokenizer, TokenizedText((*twice, *ids), tuple(ids)), "raw")
    finally:
        tokenizer.bos_token = kept
    assert any("2 times" in doubt for doubt in shown.doubts)
    assert any("No blank" in doubt for doubt in shown.doubts)
    assert any("no end" in doubt for doubt in shown.doubts)
