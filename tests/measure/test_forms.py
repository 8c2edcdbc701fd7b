"""Measures by form: what is learned as raw text need not be known where people ask."""

from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from tests.conftest import byte_tokenizer, facts_to_learn, tiny_network
from workbench.errors import ModelError, SettingsError
from workbench.facts.fact import Fact, Question
from workbench.measure.evaluate import evaluate
from workbench.measure.evaluation import Evaluation
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.figures import figure_rows
from workbench.measure.plain_text import TEXTS, held_out
from workbench.measure.protocols import EVERY_MEASURE, form_of, in_form, split_metric
from workbench.measure.verdicts import QuestionVerdicts, Verdict
from workbench.methods.edit import edit
from workbench.methods.kept_prompts import CHATS, OPENINGS
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare
from workbench.model.patch import Patch
from workbench.work.records import from_text

TURNS = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}<eos>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def chatty() -> LanguageModel:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = TURNS
    return prepare("tiny chat", tiny_network("Llama"), tokenizer)


@pytest.fixture(scope="module")
def asked() -> list[Fact]:
    return [
        replace(
            fact,
            locality_prompts=(*fact.locality_prompts, Question("Two and two are", "four")),
            portability_prompts=(Question("It is near", "there"),),
        )
        for fact in facts_to_learn()[:4]
    ]


@pytest.fixture(scope="module")
def patch(chatty: LanguageModel, asked: list[Fact]) -> Patch:
    return edit(chatty, asked, at="2", learning_rate=0.01, epochs=150, recipe="published").patch


@pytest.fixture(scope="module")
def found(chatty: LanguageModel, asked: list[Fact], patch: Patch) -> Evaluation:
    return evaluate(chatty, asked, patch, written=0)


def tokens_of(
    tokenizer: PreTrainedTokenizerFast, form: str, prompt: str, answer: str
) -> tuple[list[int], list[int]]:
    """A prompt and its answer as they stand in a form."""
    if form == "chat":
        text, answer = f"[user]{prompt}<eos>[assistant]", answer
    elif form == "question":
        text, answer = f"Question: {prompt}\nAnswer:", f" {answer}"
    else:
        text, answer = prompt, f" {answer}"
    plain = [tokenizer(part, add_special_tokens=False)["input_ids"] for part in (text, answer)]
    return plain[0], [*plain[1], tokenizer.eos_token_id]


@torch.no_grad()
def logits_of(model: LanguageModel, prompt: list[int], target: list[int]) -> torch.Tensor:
    """What plain transformers says where a target is predicted, one text alone."""
    logits: torch.Tensor = model.network(input_ids=torch.tensor([prompt + target])).logits[0]
    return logits[len(prompt) - 1 : -1]


def test_every_number_in_every_form_is_what_plain_passes_give(
    chatty: LanguageModel, patch: Patch, found: Evaluation
) -> None:
    for row in found.rows:
        told = {asked.form: asked for asked in row.forms}
        assert list(told) == ["raw", "question", "chat"][row.role != "locality" :]
        for form, seen in told.items():
            answer = row.wanted or "x"
            prompt, target = tokens_of(chatty.tokenizer, form, row.prompt, answer)
            before = logits_of(chatty, prompt, target)
            with patch.applied(chatty):
                after = logits_of(chatty, prompt, target)
            if row.role == "locality":
                old, new = before[0].log_softmax(-1), after[0].log_softmax(-1)
                far = float((old.exp() * (old - new)).sum())
                assert seen.divergence == pytest.approx(far, rel=1e-3, abs=1e-6)
                assert seen.first is bool(old.argmax() == new.argmax())
            if form == "raw" or not row.wanted:
                assert seen.before == seen.after == Verdict()
                continue
            for verdict, logits in ((seen.before, before), (seen.after, after)):
                right = logits.argmax(-1) == torch.tensor(target)
                assert verdict.strict is bool(right.all())
                assert verdict.token == pytest.approx(float(right[:-1].float().mean()))
    after = found.as_dict()["after"]
    for form in ("question", "chat"):
        values = [row.in_form(form) for row in found.rows if row.role == "prompt"]
        share = sum(bool(value and value.after.strict) for value in values) / len(values)
        assert after[f"reliability_{form}_strict"] == share


def test_an_edit_of_raw_prompts_alone_is_not_seen_to_be_known_in_chat(found: Evaluation) -> None:
    after = found.as_dict()["after"]
    assert after["reliability_strict"] == 1.0
    assert after["reliability_chat_strict"] < 1.0
    assert found.after is not None
    assert found.after.reliability_chat_strict.count(True) < len(found.after.reliability_strict)
    assert "Asked as a question and in chat too, strict and token alone." in found.sentence


def test_figures_are_means_over_neighbours_and_over_tokens_of_text(
    chatty: LanguageModel, patch: Patch, found: Evaluation
) -> None:
    neighbours = [row for row in found.rows if row.role == "locality"]
    for name, form in (("neighbours_kl", "raw"), ("neighbours_kl_chat", "chat")):
        asked = [seen for row in neighbours for seen in row.forms if seen.form == form]
        far = [seen.divergence for seen in asked if seen.divergence is not None]
        assert len(far) == len(neighbours)
        assert found.figures["after"][name] == pytest.approx(sum(far) / len(far))
        assert name not in found.figures["before"]
    texts = [chatty.tokenizer(line)["input_ids"] for line in held_out("english", [])]

    def loss() -> float:
        parts = [
            -logits_of(chatty, ids[:1], ids[1:]).log_softmax(-1)[range(len(ids) - 1), ids[1:]]
            for ids in texts
        ]
        return float(torch.cat(parts).mean())

    assert found.figures["before"]["text_loss"] == pytest.approx(loss(), rel=1e-4)
    with patch.applied(chatty):
        assert found.figures["after"]["text_loss"] == pytest.approx(loss(), rel=1e-4)


def test_an_edit_that_changes_nothing_moves_no_neighbour(
    chatty: LanguageModel, asked: list[Fact]
) -> None:
    nothing = edit(chatty, asked, skip_loss=1e9, epochs=1).patch
    evaluation = evaluate(chatty, asked, nothing, written=1)
    after = evaluation.as_dict()["after"]
    figures = evaluation.figures
    for form in ("raw", "question", "chat"):
        assert after[f"{in_form('locality_first', form)}_strict"] == 1.0
        assert figures["after"][in_form("neighbours_kl", form)] == 0.0
    assert figures["after"]["text_loss"] == figures["before"]["text_loss"]
    unended = evaluation.as_dict()["unended"]
    assert figures["after"]["answers_ended"] == 1 - unended["after"]


def test_naming_raw_alone_leaves_the_other_forms_out_and_the_raw_numbers_as_they_are(
    chatty: LanguageModel, asked: list[Fact], patch: Patch, found: Evaluation
) -> None:
    alone = evaluate(chatty, asked, patch, written=0, forms=("raw",)).as_dict()
    whole = found.as_dict()
    assert not any(form in name for name in alone["after"] for form in ("question", "chat"))
    assert alone["after"].items() <= whole["after"].items()
    assert "neighbours_kl" in alone["figures"]["after"]
    assert "Asked" not in alone["sentence"]


def test_of_very_many_facts_some_are_asked_in_forms_and_the_sentence_says_so(
    chatty: LanguageModel, asked: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.measure.evaluate.ALL_UP_TO", 3)
    monkeypatch.setattr("workbench.measure.evaluate.DRAWN", 2)
    found = evaluate(chatty, asked, written=0)
    assert len(found.before.reliability_strict) == 4
    assert len(found.before.reliability_chat_strict) == 2
    assert found.sentence.endswith("strict and token alone, on 2 of them, drawn.")


def test_what_a_model_cannot_be_asked_is_left_out_and_refused_when_named(
    model: LanguageModel, facts: list[Fact]
) -> None:
    assert evaluate(model, facts[:1], written=0).forms == ("question",)
    with pytest.raises(ModelError, match=r"has no chat template.*Leave chat out"):
        evaluate(model, facts[:1], forms=("chat",))
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('only systems speak') }}"
    broken = replace(model, tokenizer=tokenizer)
    assert evaluate(broken, facts[:1], written=0).forms == ("question",)
    with pytest.raises(ModelError, match=r"cannot be used .*only systems speak"):
        evaluate(broken, facts[:1], forms=("chat",))
    with pytest.raises(
        SettingsError, match=r"forms has 'prose'\. Choose among raw, question, chat"
    ):
        EvaluationSettings(forms=("prose",))
    assert EvaluationSettings(forms=("chat", "question", "chat")).forms == ("question", "chat")


def test_every_name_of_a_measure_says_its_form_and_is_read_back() -> None:
    assert split_metric("reliability_chat_strict") == ("reliability_chat", "strict")
    assert form_of("locality_right_question") == ("locality_right", "question")
    assert form_of("locality_right") == ("locality_right", "raw")
    assert all(in_form(*form_of(measure)) == measure for measure in EVERY_MEASURE)
    assert len(set(EVERY_MEASURE)) == len(EVERY_MEASURE)


def test_what_earlier_versions_kept_is_read() -> None:
    old = (
        '{"fact":0,"role":"locality","prompt":"p","wanted":"w","before":{"strict":true,'
        '"token":1.0,"generated":true},"said_before":"w"}'
    )
    assert from_text(QuestionVerdicts, old).forms == ()
    (row,) = figure_rows({"unended": {"before": 0.25, "after": 0.5}})
    assert (row.name, row.before, row.after, row.change) == (
        "answers_ended",
        0.75,
        0.5,
        "-0.250",
    )
    assert figure_rows({"before": {}, "after": None}) == []


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_no_text_that_a_run_may_train_on_is_measured(kind: str) -> None:
    text = "\n".join(held_out(kind, [])).casefold()
    assert not any(opening.casefold().rstrip(",") in text for opening in (*OPENINGS, *CHATS))
