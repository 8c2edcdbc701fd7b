"""Probes and evaluation: what the model says before and after, by protocols that agree."""

from dataclasses import replace

import pytest
import torch

from workbench.errors import ModelError, SettingsError
from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel

pytestmark = pytest.mark.slow


def greedy_by_hand(model: LanguageModel, prompt: str, tokens: int) -> list[int]:
    ids = torch.tensor([model.tokenizer(prompt)["input_ids"]])
    for _ in range(tokens):
        with torch.no_grad():
            following = model.network(ids, use_cache=False).logits[0, -1].argmax()
        ids = torch.cat([ids, following.view(1, 1)], dim=1)
        if following == model.tokenizer.eos_token_id:
            break
    return ids[0, len(model.tokenizer(prompt)["input_ids"]) :].tolist()


def test_answers_are_plain_greedy_decoding_whatever_the_batch(model: LanguageModel) -> None:
    model.network.generation_config.repetition_penalty = 1.8
    model.network.generation_config.do_sample = True
    prompts = ["A", "Quite a long prompt beside a short one", "Short"]
    together = generate(model, prompts, max_new_tokens=20)
    for prompt, answer in zip(prompts, together, strict=True):
        assert list(answer.tokens) == greedy_by_hand(model, prompt, 20)


def test_the_next_token_probabilities_are_those_of_the_model(model: LanguageModel) -> None:
    (answer,) = generate(model, ["Hello"], top_k=3, max_new_tokens=1)
    ids = torch.tensor([model.tokenizer("Hello")["input_ids"]])
    with torch.no_grad():
        shares = model.network(ids).logits[0, -1].softmax(-1).topk(3)
    assert [share for _, share in answer.top] == pytest.approx(shares.values.tolist(), abs=1e-6)
    assert [text for text, _ in answer.top] == model.tokenizer.batch_decode(
        [[i] for i in shares.indices.tolist()]
    )


@pytest.fixture
def learnable(model: LanguageModel) -> LanguageModel:
    """The tiny model with a head that one layer can steer."""
    for parameter in model.network.parameters():
        if parameter.ndim == 2:
            parameter.data *= 8
    return model


def test_before_and_after_an_edit(learnable: LanguageModel, facts: list[Fact]) -> None:
    result = edit(learnable, facts, at="2", learning_rate=1e-2, batch_size=2, epochs=60)
    assert result.reliability_strict == 1.0
    probes = probe(learnable, [fact.prompt for fact in facts], result.patch)
    assert [p.after.text for p in probes if p.after] == [fact.target_new for fact in facts]
    assert not {p.before.text for p in probes} & {fact.target_new for fact in facts}
    assert probe(learnable, "Alone")[0].after is None


def test_strict_is_right_exactly_where_generation_gives_target_and_eos(
    learnable: LanguageModel, facts: list[Fact]
) -> None:
    result = edit(learnable, facts, at="2", learning_rate=1e-2, batch_size=7, epochs=12)
    with result.patch.applied(learnable):
        answers = generate(learnable, [fact.prompt for fact in facts])
    for fact, answer, right in zip(facts, answers, result.learned, strict=True):
        target = learnable.tokenizer(" " + fact.target_new)["input_ids"]
        assert right == (list(answer.tokens) == [*target, learnable.tokenizer.eos_token_id])


def test_every_metric_names_its_protocol_and_unchanged_stands_only_after(
    learnable: LanguageModel, facts: list[Fact]
) -> None:
    result = edit(learnable, facts, at="2", learning_rate=1e-2, batch_size=2, epochs=60)
    report = evaluate(learnable, facts, result.patch).as_dict()
    measures = {"reliability", "generalization", "locality_right", "portability"}
    protocols = ("strict", "generated", "token")
    names = {f"{m}_{p}" for m in measures for p in protocols}
    names |= {f"{m}_question_{p}" for m in measures for p in ("strict", "token")}
    assert set(report["before"]) == names
    assert set(report["after"]) - names == {
        *(f"locality_{protocol}" for protocol in protocols),
        *("locality_first_strict", "locality_first_question_strict"),
    }
    assert report["before"]["reliability_strict"] == 0.0
    assert report["after"]["reliability_strict"] == 1.0
    assert report["after"]["reliability_generated"] == 1.0
    assert report["after"]["reliability_token"] == 1.0
    counts = report["counts"]
    assert (counts["facts"], counts["rephrase_prompts"], counts["locality_prompts"]) == (7, 7, 7)


def test_an_alias_counts_as_right_in_the_generated_protocol_only(
    learnable: LanguageModel, facts: list[Fact]
) -> None:
    fact = replace(facts[0], rephrase_prompts=())
    (said,) = evaluate(learnable, [fact]).before.answers
    assert said is not None and plain_answer(said) not in ("", plain_answer(fact.target_new))
    before = evaluate(learnable, [replace(fact, aliases=("Something else", said))]).before
    assert (before.reliability_generated, before.reliability_strict) == ((True,), (False,))


def test_a_patch_that_changes_nothing_keeps_locality_whole(
    learnable: LanguageModel, facts: list[Fact]
) -> None:
    nothing = edit(learnable, facts, at="2.mlp.down_proj", skip_loss=1e9, epochs=1).patch
    after = evaluate(learnable, facts, nothing).as_dict()["after"]
    assert (after["locality_strict"], after["locality_generated"]) == (1.0, 1.0)


def test_with_nothing_to_ask_a_metric_is_none_not_zero(model: LanguageModel) -> None:
    report = evaluate(model, [Fact("a", "b")]).as_dict()
    assert report["after"] is None
    assert report["before"]["generalization_strict"] is None


def test_the_sentence_rule_ends_an_answer_at_a_full_stop(learnable: LanguageModel) -> None:
    fact = Fact("Say it:", "Yes. And more")
    patch = edit(learnable, [fact], at="2", learning_rate=1e-2, epochs=80).patch
    with patch.applied(learnable):
        (whole,) = generate(learnable, [fact.prompt])
        (cut,) = generate(learnable, [fact.prompt], stop="sentence")
    assert (whole.text, cut.text) == ("Yes. And more", "Yes")
    assert len(cut.tokens) < len(whole.tokens)


def test_wrong_questions_are_refused_in_words(model: LanguageModel) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        generate(model, ["Hi"], chat=True)
    with pytest.raises(ModelError, match="A prompt is empty"):
        generate(model, [""])
    with pytest.raises(ModelError, match="at most 128"):
        generate(model, ["x" * 300])
    with pytest.raises(SettingsError, match="stop is 'never'"):
        generate(model, ["x"], stop="never")  # type: ignore[arg-type]


def test_the_chat_template_is_used_when_asked_for(model: LanguageModel) -> None:
    template = "{{ messages[0].content }}!{% if add_generation_prompt %} Say:{% endif %}"
    model.tokenizer.chat_template = template
    try:
        (chat,) = generate(model, ["Hi"], chat=True)
        (raw,) = generate(model, ["Hi! Say:"])
    finally:
        model.tokenizer.chat_template = None
    assert chat == raw


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("The Paris.", "paris"),
        (" an  apple, a day", "apple day"),
        ("U.S.A.", "usa"),
        ("A", "a"),
        ("+", "+"),
    ],
)
def test_answers_are_compared_without_case_articles_and_punctuation(said: str, wanted: str) -> None:
    assert plain_answer(said) == wanted


def test_an_answer_can_be_watched_as_it_grows(learnable: LanguageModel, facts: list[Fact]) -> None:
    patch = edit(learnable, facts, at="2", learning_rate=1e-2, batch_size=2, epochs=60).patch
    seen: dict[int, list[str]] = {0: [], 1: []}

    def watch(texts: dict[int, str]) -> None:
        for row, text in texts.items():
            seen[row].append(text)

    with patch.applied(learnable):
        answers = generate(learnable, [fact.prompt for fact in facts[:2]], on_text=watch)
    for row, answer in enumerate(answers):
        assert seen[row][-1] == answer.text
        assert len(set(seen[row])) > 2
        assert all(answer.text.startswith(text) for text in seen[row])


def test_what_a_watcher_raises_ends_the_answer_and_leaves_the_base(
    learnable: LanguageModel, facts: list[Fact]
) -> None:
    class Enough(Exception):
        pass

    def watch(texts: dict[int, str]) -> None:
        raise Enough

    patch = edit(learnable, facts, at="2", epochs=2).patch
    (name,) = [n for n in patch.tensors if "down_proj" in n]
    base = learnable.network.get_parameter(name).clone()
    with pytest.raises(Enough), patch.applied(learnable):
        generate(learnable, [facts[0].prompt], on_text=watch)
    assert torch.equal(learnable.network.get_parameter(name), base)
