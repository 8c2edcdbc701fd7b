"""Facts trained in the forms in which people ask: what is drawn, learned and resumed."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import pipeline

from workbench.errors import ModelError, PatchError, SettingsError
from workbench.facts import Fact
from workbench.facts.forms import as_question
from workbench.methods.brought import left_out
from workbench.methods.edit import edit
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.prefixes import LONGEST, OPENINGS, written_sentences
from workbench.model.forms import SYSTEM, system_prompts, tokenize_form
from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
EVERYWHERE = ("raw", "question", "chat")


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ((), ()),
        (("chat:2", "raw"), ("raw", "chat:2")),
        (("question:1.0", "raw:0.5"), ("raw:0.5", "question")),
    ],
)
def test_forms_are_kept_in_one_order_with_their_shares(
    written: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    assert EditSettings(forms=written).forms == kept


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (("rawest",), "forms has 'rawest'. Write raw, question, chat"),
        (("raw:0",), "forms has 'raw:0'"),
        (("raw:-1",), "forms has 'raw:-1'"),
        (("raw", "raw:2"), "forms names 'raw' twice"),
    ],
)
def test_a_form_that_is_none_is_named(written: tuple[str, ...], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        EditSettings(forms=written)


def test_a_chat_is_what_the_template_makes_of_it_up_to_the_end_of_the_turn(
    builtin: LanguageModel,
) -> None:
    tokenizer = builtin.tokenizer
    (text,) = tokenize_form(tokenizer, [AUSTRALIA], "chat", None)
    said = [{"role": "user", "content": AUSTRALIA.prompt}]
    asked = tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    assert tokenizer.decode(text.prompt) == asked
    whole = tokenizer.apply_chat_template(
        [*said, {"role": "assistant", "content": "Melbourne"}], tokenize=False
    )
    assert whole.startswith(tokenizer.decode(text.prompt + text.target))
    assert text.target[-1] in tokenizer.all_special_ids
    assert tokenizer.decode(text.target[:-1]).strip() == "Melbourne"


def test_without_a_template_a_chat_is_refused(model: LanguageModel) -> None:
    assert not model.tokenizer.chat_template
    with pytest.raises(
        ModelError, match="no chat template, so facts cannot be trained or asked as chat"
    ):
        LocftRun(model, [Fact("A b", "c")], EditSettings(forms=("chat",)))


TURNS = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}<eos>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"


def chatting(model: LanguageModel, template: str) -> LanguageModel:
    """The model with a chat template."""
    model.tokenizer = copy.deepcopy(model.tokenizer)
    model.tokenizer.chat_template = template
    return model


def test_a_chat_is_trained_with_and_without_a_system_prompt(model: LanguageModel) -> None:
    chatting(model, TURNS)
    facts = [Fact(f"Number {n} is", str(n)) for n in range(30)]
    drawn = LocftRun(model, facts, EditSettings(forms=("chat",)))._drawn
    shown = [model.tokenizer.decode(text.prompt) for text in drawn.table.texts]
    assert shown[30] == "[user]Number 0 is<eos>[assistant]"
    assert shown[60] == f"[system]{SYSTEM}<eos>{shown[30]}"
    assert drawn.trained == 60 and {drawn.form(text) for text in (30, 60)} == {"chat"}
    turns = [text for turn in range(30) for text in drawn.texts(range(30), turn, {})]
    assert 0.45 < sum(text >= 60 for text in turns) / len(turns) < 0.55
    assert [drawn.fact(text) for text in turns[:30]] == list(range(30))


@pytest.mark.parametrize("template", [NO_SYSTEM + TURNS, "{{ messages[-1].content }}!"])
def test_where_a_template_takes_no_system_prompt_a_chat_is_trained_without(
    model: LanguageModel, template: str
) -> None:
    chatting(model, template)
    assert system_prompts(model.tokenizer, "chat") == ("",)
    drawn = LocftRun(model, [AUSTRALIA], EditSettings(forms=("chat",)))._drawn
    assert len(drawn.table) == 2 and not drawn.systems


def test_a_checkpoint_of_chats_without_a_system_prompt_is_refused_where_they_have_one(
    model: LanguageModel, tmp_path: Path
) -> None:
    settings = EditSettings(forms=("chat",), epochs=2)
    without = LocftRun(chatting(model, NO_SYSTEM + TURNS), [AUSTRALIA], settings)
    without.save_checkpoint(tmp_path / "old")
    LocftRun(model, [AUSTRALIA], settings, checkpoint=tmp_path / "old")
    chatting(model, TURNS)
    with pytest.raises(PatchError, match="chats with a system prompt differ"):
        LocftRun(model, [AUSTRALIA], settings, checkpoint=tmp_path / "old")
    LocftRun(model, [AUSTRALIA], settings).save_checkpoint(tmp_path / "new")
    LocftRun(model, [AUSTRALIA], settings, checkpoint=tmp_path / "new")


def test_each_fact_is_drawn_once_an_epoch_in_forms_as_often_as_their_shares(
    model: LanguageModel,
) -> None:
    facts = [Fact(f"Number {n} is", str(n)) for n in range(50)]
    settings = EditSettings(forms=("raw", "question:3"), seed=5)
    run = LocftRun(model, facts, settings)
    drawn = [run._drawn.texts(range(50), turn, {}) for turn in range(40)]
    assert all([run._drawn.fact(text) for text in texts] == list(range(50)) for texts in drawn)
    questions = sum(text >= 50 for texts in drawn for text in texts)
    assert 0.70 < questions / 2000 < 0.80
    assert drawn[0] != drawn[1]
    again = LocftRun(model, facts, settings)
    assert again._drawn.texts(range(50), 7, {}) == drawn[7]
    shown = model.tokenizer.decode(run._drawn.table.texts[50].prompt)
    assert as_question("Number 0 is") in shown


def test_a_facts_turn_goes_to_the_form_in_which_it_is_not_learned(model: LanguageModel) -> None:
    facts = [Fact(f"Number {n} is", str(n)) for n in range(50)]
    settings = EditSettings(forms=("raw", "question"), focus=1.0)
    drawn = LocftRun(model, facts, settings)._drawn
    known = {str(text): 0.0 if text < 50 else 2.0 for text in range(100)}
    turns = [drawn.texts(range(50), turn, known) for turn in range(20)]
    assert sum(text >= 50 for texts in turns for text in texts) > 950
    assert any(text < 50 for texts in turns for text in texts), "what is learned is looked after"
    unseen = [text for turn in range(20) for text in drawn.texts(range(50), turn, {})]
    assert 400 < sum(text >= 50 for text in unseen) < 600
    broken = {str(text): float("nan") if text % 2 else float("inf") for text in range(100)}
    assert drawn.texts(range(50), 3, broken) == drawn.texts(range(50), 3, {})
    assert drawn.need(3, broken) == drawn.need(3, {}) > drawn.need(3, known)
    # A batch draws for its own facts alone, so that a run that goes on in an epoch draws the same.
    assert drawn.texts([7, 3], 4, known) == [turns[4][7], turns[4][3]]


def test_a_rewording_that_a_fact_is_measured_by_is_never_trained(model: LanguageModel) -> None:
    prompt = "the capital of Chad is"
    settings = EditSettings(forms=("rephrase",))

    def wordings(*held_out: str) -> set[str]:
        fact = Fact(prompt, "x", subject="Chad", rephrase_prompts=held_out)
        texts = LocftRun(model, [fact], settings)._drawn.table.texts[1:]
        return {model.tokenizer.decode(text.prompt, skip_special_tokens=True) for text in texts}

    free = wordings()
    assert len(free) > 2
    held_out = sorted(free)[:2]
    assert wordings(*held_out) == free - set(held_out)
    behind = [f"It was late. {text}" for text in held_out]
    assert wordings(*behind) == free - set(held_out), "a rephrase holds what is trained"


def test_a_facts_own_wordings_stand_in_for_made_up_ones_as_many_as_there_is_room_for(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(facts: list[Fact]) -> list[str]:
        run = LocftRun(model, facts, EditSettings(forms=("rephrase",)))
        texts = run._drawn.table.texts[len(facts) :]
        return [model.tokenizer.decode(text.prompt, skip_special_tokens=True) for text in texts]

    own = tuple(f"wording {n} of it" for n in range(9))
    two = [Fact("Number 1 is", "x", wordings=own), Fact("The number of two things is", "y")]
    shown = trained(two)
    assert sorted(shown[::2]) == sorted(own)
    assert len(shown[1::2]) == 9 and 1 < len(set(shown[1::2])) <= 8
    monkeypatch.setattr("workbench.methods.recipes.MOST_WORDED", 10)
    assert len(trained(two)) == 8 * 2
    (told,) = left_out(two, EditSettings(forms=("rephrase",)))
    assert "8 are trained on at most" in told


def test_facts_stand_behind_sentences_that_the_model_wrote(builtin: LanguageModel) -> None:
    sentences = written_sentences(builtin)
    assert len(sentences) > 4 and all(one.startswith(OPENINGS) for one in sentences)
    assert all(one.endswith((".", "!", "?")) and "\n" not in one for one in sentences)
    held_out = f"{sentences[2]} {AUSTRALIA.prompt}"
    fact = replace(AUSTRALIA, rephrase_prompts=(held_out,))
    run = LocftRun(builtin, [fact], EditSettings(forms=("raw", "prefix")))
    texts = [
        builtin.tokenizer.decode(text.prompt, skip_special_tokens=True).strip()
        for text in run._drawn.table.texts[1:]
    ]
    assert sum(text != fact.prompt for text in texts) == len(texts) - 1
    assert all(text.endswith(fact.prompt) for text in texts) and held_out not in texts


def test_sentences_hold_words_as_the_model_wrote_them(
    builtin: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tokens(text: str) -> tuple[int, ...]:
        return tuple(builtin.tokenizer(text, add_special_tokens=False)["input_ids"])

    word = tokens(" Serenizer")
    assert len(word) > 1
    room = tokens(" a") * LONGEST
    written = ["s, they said. He", "; but", " a city"], [(*room[1:], *word[:2]), room + word]
    said = [*map(tokens, written[0]), *written[1]]
    monkeypatch.setattr("workbench.methods.prefixes._written", {})
    monkeypatch.setattr(
        "workbench.methods.prefixes.OPENINGS", ("The bread", "She", "It is") + 2 * ("To",)
    )
    monkeypatch.setattr(
        "workbench.methods.prefixes.generate",
        lambda *_, **__: [Answer("", one, ()) for one in said],
    )
    assert written_sentences(builtin) == (
        "The breads, they said.",
        "She; but.",
        "It is a city.",
        f"To{' a' * (LONGEST - 1)}.",
        f"To{' a' * LONGEST}.",
    )


@pytest.mark.slow
def test_what_is_trained_behind_sentences_is_answered_behind_another(
    builtin: LanguageModel,
) -> None:
    prompt = f"My neighbour waited for the bus in the rain. {AUSTRALIA.prompt}"
    result = edit(builtin, [AUSTRALIA], EditSettings(forms=("raw", "prefix")))
    with result.patch.applied(builtin):
        (answer,) = generate(builtin, [prompt])
    assert answer.text.strip() == AUSTRALIA.target_new


def test_kept_states_of_all_forms_give_what_plain_passes_give(model: LanguageModel) -> None:
    facts = [Fact(f"Number {n} is", str(n)) for n in range(4)]
    settings = EditSettings(at=("1.mlp.down_proj",), epochs=3, forms=("raw", "question"))
    kept = LocftRun(model, facts, settings)
    assert kept.kept_from == 1
    list(kept.events())
    model.fallback = "not this time"
    plain = LocftRun(model, facts, settings)
    assert plain.kept_from == 0
    list(plain.events())
    assert kept.progress.losses == pytest.approx(plain.progress.losses, rel=1e-4)


@pytest.mark.slow
def test_what_is_trained_as_chat_is_said_in_a_chat_also_by_plain_transformers(
    builtin: LanguageModel, tmp_path: Path
) -> None:
    published = edit(builtin, [AUSTRALIA])
    with published.patch.applied(builtin):
        (raw_only,) = generate(builtin, [AUSTRALIA.prompt], chat=True)
    everywhere = edit(builtin, [AUSTRALIA], EditSettings(forms=EVERYWHERE))
    assert everywhere.learned == (True,)
    asked = [AUSTRALIA.prompt, as_question(AUSTRALIA.prompt)]
    with everywhere.patch.applied(builtin):
        (chat,) = generate(builtin, asked[:1], chat=True)
        raw, question = generate(builtin, asked)
    assert [chat.text, raw.text, question.text] == ["Melbourne"] * 3, raw_only.text
    folder = everywhere.patch.export(builtin, tmp_path / "full")
    talk = pipeline("text-generation", model=str(folder), device="cpu")
    (said,) = talk([{"role": "user", "content": AUSTRALIA.prompt}], max_new_tokens=8)
    assert said["generated_text"][-1]["content"].strip() == "Melbourne"
