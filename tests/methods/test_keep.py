"""What must stay while facts are learned: which prompts, how it is measured, and that it holds."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from workbench.errors import SettingsError
from workbench.facts import Fact, Question, read_facts
from workbench.facts.forms import Form
from workbench.facts.neighbours import neighbours
from workbench.facts.same import prompt_key
from workbench.facts.subject_kinds import SubjectKind
from workbench.methods.brought import left_out
from workbench.methods.keep import KeepSet, divergence
from workbench.methods.kept_prompts import (
    MOST_NEIGHBOURS,
    OPENINGS,
    KeptPrompt,
    answering,
    kept_prompts,
)
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.other_words import other_words
from workbench.methods.recipes import MOST_BROUGHT
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.tokens import TokenizedText
from workbench.paths import assets_dir
from workbench.work.events import follow

COUNTRIES = ("Chad", "Peru", "Mali", "Cuba", "Fiji", "Togo", "Laos", "Iran")
NAMES = st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=8, unique=True)
AT = ("1.mlp.down_proj",)
FORMS: tuple[Form, ...] = ("raw", "question", "rephrase")


def facts_about(names: list[str]) -> list[Fact]:
    words = ("The capital of {} is", "{} lies in", "The flag of {} is")
    return [
        Fact(
            words[n % 3].format(name),
            f"answer {n}",
            subject=name,
            rephrase_prompts=(words[(n + 1) % 3].format(name),),
            locality_prompts=(Question(words[n % 3].format(COUNTRIES[(n + 3) % 8])),),
        )
        for n, name in enumerate(names)
    ]


@given(NAMES, st.integers(1, 6), st.integers(0, 3), st.integers(0, 3))
def test_nothing_that_is_taught_or_measured_is_ever_kept(
    names: list[str], per_fact: int, seed: int, named: int
) -> None:
    facts = facts_about(names)
    found = neighbours(facts, per_fact, seed, subjects=COUNTRIES[:6], named=named, listed=True)
    asked = {prompt_key(fact.prompt) for fact in facts}
    asked |= {prompt_key(prompt) for fact in facts for prompt in fact.rephrase_prompts}
    asked |= {prompt_key(q.prompt) for fact in facts for q in fact.locality_prompts}
    assert not asked & {prompt_key(prompt) for prompt in found}
    assert len(set(found)) == len(found) <= 12 * len(facts)
    assert found == neighbours(
        facts, per_fact, seed, subjects=COUNTRIES[:6], named=named, listed=True
    )


def test_the_prompts_are_the_facts_templates_about_other_subjects() -> None:
    facts = [Fact(f"The capital of {name} is", "x", subject=name) for name in COUNTRIES[:2]]
    facts.append(Fact("Water is made of", "gold"))
    facts.append(Fact("The flag of Mali is", "red", subject="Mali"))
    found = neighbours(facts, 6, 0)
    assert sorted(found) == [
        "The capital of Mali is",
        "The flag of Chad is",
        "The flag of Peru is",
    ]
    found = neighbours(facts, 6, 0, listed=True)
    near = [KeptPrompt("neighbours", prompt) for prompt in found]
    many = facts_about(list(COUNTRIES))
    facts += [Fact(f"Fact {n}", "x") for n in range(len(OPENINGS))]
    text = [KeptPrompt("text", prompt) for prompt in OPENINGS]
    assert kept_prompts(facts, ("text", "chats", "neighbours"), 0, chat=False) == near + text
    everywhere = kept_prompts(facts, ("neighbours",), 0, chat=True, forms=("raw", "chat"))
    assert [prompt.prompt for prompt in everywhere] == found
    assert {
        prompt.chat
        for prompt in kept_prompts(many, ("neighbours",), 0, chat=True, forms=("raw", "chat"))
    } == {True, False}
    asked = kept_prompts(many, ("neighbours",), 0, chat=False, forms=("raw", "question"))
    assert 0 < sum(prompt.prompt.startswith("Question: ") for prompt in asked) < len(asked)
    chats = kept_prompts(facts, ("chats",), 0, chat=True)
    assert chats and all(prompt.chat and prompt.kind == "chats" for prompt in chats)


def test_neighbours_stand_in_the_words_in_which_the_fact_is_trained() -> None:
    of = ("capital", "currency")
    facts = [
        Fact(f"The {of[n % 2]} of {name} is", f"x{name}", subject=name)
        for n, name in enumerate(COUNTRIES)
    ]
    words = other_words(facts, 3)
    prompts = {p.prompt for p in kept_prompts(facts, ("neighbours",), 3, chat=False, forms=FORMS)}
    held = {
        text.replace(fact.subject, other)
        for fact, own in zip(facts, words, strict=True)
        for text in own
        for other in COUNTRIES
    }
    plain = {f"The {what} of {name} is" for name in COUNTRIES for what in of}
    found = [text for text in prompts if "Question:" not in text]
    assert len(held & set(found)) > len(found) / 3
    assert set(found) <= held | plain, "in no other words"


def test_subjects_of_ones_own_are_held_whatever_other_facts_there_are() -> None:
    alone = Fact("The capital of Chad is", "x", subject="Chad")
    own = EditSettings(other_subjects=("Washington, D.C.; Peru\n Mali", "Chad", "Peru"))
    assert own.other_subjects == ("Washington, D.C.", "Peru", "Mali", "Chad")

    def held(facts: list[Fact], subjects: tuple[str, ...]) -> list[str]:
        kept = kept_prompts(facts, ("neighbours",), 0, chat=False, subjects=subjects)
        return [one.prompt for one in kept]

    mine = [f"The capital of {name} is" for name in ("Mali", "Peru", "Washington, D.C.")]
    assert sorted(held([alone], own.other_subjects)[:3]) == mine
    enough = tuple(f"Region {n}" for n in range(9))
    assert sorted(held([alone], enough)) == [f"The capital of {name} is" for name in enough]
    many = [replace(alone, prompt=f"In {n}, Chad has") for n in range(2000)]
    cut = held(many, own.other_subjects)
    assert len(cut) == MOST_NEIGHBOURS and not any("Chad" in prompt for prompt in cut)
    (told,) = left_out([alone], replace(own, recipe="published", keep=0.0))
    assert "'neighbours' is not among what this run keeps" in told


def test_few_facts_are_held_beside_subjects_of_their_kind() -> None:
    def held(*facts: Fact) -> list[str]:
        return [one.prompt for one in kept_prompts(facts, ("neighbours",), 0, chat=False)]

    def subjects(of: str) -> list[str]:
        return (assets_dir() / "subjects" / f"{of}.txt").read_text("utf-8").splitlines()

    (country, works) = (
        Fact("The capital of Chad is", "x", subject="Chad"),
        Fact("Who directed Alien?", "x", subject="Alien"),
    )
    nothing = Fact("Alien, the", "x", subject="Alien")
    assert len(held(country)) == len(held(country, works)) // 2 == 12
    assert {one[15:-3] for one in held(country)} < {*subjects("countries")}
    assert {one[13:-1] for one in held(works)} < {*subjects("works")}
    kinds = [
        kind
        for kind in get_args(SubjectKind)
        for one in held(nothing)
        if one[:-5] in subjects(kind)
    ]
    assert len(kinds) == 12 and len({*kinds}) > 5
    taught = subjects("countries")[0]
    assert f"The capital of {taught} is" not in held(
        country, replace(works, rephrase_prompts=(f"the capital of {taught} is?",))
    )


def test_what_is_taught_or_measured_is_not_kept_although_it_is_plain_text() -> None:
    measured = (Question("What is the largest ocean?"),)
    facts = [Fact("Water boils at", "7 degrees", locality_prompts=measured)] * 30
    kept = [prompt.prompt for prompt in kept_prompts(facts, ("text",), 0, chat=False)]
    assert kept == [
        prompt for prompt in OPENINGS if prompt not in (facts[0].prompt, measured[0].prompt)
    ]


def trained_on(run: LocftRun) -> set[str]:
    """Keys of every prompt that a run is trained on, and of all that it holds."""
    assert run.keep is not None
    follow(run.keep.preparing(0, None))
    texts: list[TokenizedText] = [*run._drawn.table.texts]
    texts += run.keep._table.texts if run.keep._table is not None else ()
    read = run.model.tokenizer.decode
    shown = [read(text.prompt, skip_special_tokens=True) for text in texts]
    return {prompt_key(one.removeprefix("Question: ").removesuffix("\nAnswer:")) for one in shown}


def test_no_run_trains_on_what_a_fact_is_measured_by(model: LanguageModel) -> None:
    def brought(rephrase: str, stays: str, follows: str) -> list[Fact]:
        return [
            Fact(
                "The capital of Chad is",
                "x",
                subject="Chad",
                rephrase_prompts=(rephrase,),
                wordings=("Chad's capital is", "chad is ruled from.", "Mali has the flag"),
                keep_prompts=(Question("Peru lies IN", "Asia"), Question("cuba's capital IS")),
            ),
            Fact(
                "The flag of Mali is",
                "y",
                subject="Mali",
                locality_prompts=(Question(stays),),
                portability_prompts=(Question(follows),),
                keep_prompts=(Question("The capital of chad is", "z"),),
            ),
        ]

    settings = EditSettings(at=AT, keep=1.0, kept=("yours", "neighbours"), forms=FORMS)
    free = trained_on(LocftRun(model, brought("a", "b", "c"), settings))
    mine = {"chad's capital is", "chad is ruled from", "peru lies in", "cuba's capital is"}
    assert free > {*mine, "the capital of mali is"}
    measured = ("Chad is ruled from", "Peru lies in", "Cuba's capital is")
    held_out = trained_on(LocftRun(model, brought(*measured), settings))
    assert held_out & mine == {"chad's capital is"}


def test_the_divergence_is_that_of_the_whole_vocabulary_when_all_of_it_is_kept() -> None:
    torch.manual_seed(0)
    base, now = torch.randn(5, 40), torch.randn(5, 40)
    shares, tokens = base.softmax(-1).topk(40, dim=-1)
    direct = functional.kl_div(
        now.log_softmax(-1), base.log_softmax(-1), log_target=True, reduction="none"
    ).sum(-1)
    torch.testing.assert_close(divergence(now, tokens, shares), direct, rtol=1e-4, atol=1e-5)
    shares, tokens = base.softmax(-1).topk(8, dim=-1)
    # The rest as one mass can only hide a part of the difference.
    part = divergence(now, tokens, shares)
    assert (part <= direct + 1e-5).all() and (part > 0).all()
    torch.testing.assert_close(
        divergence(base, tokens, shares), torch.zeros(5), rtol=0.0, atol=1e-5
    )


def drift(model: LanguageModel, run: LocftRun, prompts: list[KeptPrompt]) -> float:
    """How far the tuned model is from the base on some prompts."""
    kept = KeepSet(model, prompts, 0)
    follow(kept.preparing(0, None))
    with run.applied(), torch.no_grad():
        rows = range(len(prompts))
        return kept.divergences(rows, kept.logits(rows)).mean().item()


@pytest.mark.slow
def test_what_must_stay_stays_nearer_to_the_base_and_the_facts_are_learned() -> None:
    model = load_model("builtin", device="cpu")
    facts = list(read_facts(assets_dir() / "samples" / "facts_20.csv"))[:10]
    prompts = kept_prompts(facts, ("neighbours", "text"), 0, chat=False)
    assert len(prompts) > 30
    found = {}
    for keep in (0.0, 1.0):
        run = LocftRun(model, facts, EditSettings(keep=keep))
        list(run.events())
        assert all(run.learned())
        found[keep] = drift(model, run, prompts)
    assert found[1.0] < 0.5 * found[0.0], found


def test_a_true_answer_that_is_given_is_what_is_held(model: LanguageModel) -> None:
    facts = facts_about(list(COUNTRIES[:4]))
    facts[0] = replace(facts[0], keep_prompts=(Question("Oslo lies in", "Norway"),))
    prompts = kept_prompts(facts, ("yours",), 0, chat=False, forms=("raw", "question"))
    assert {(one.prompt, one.answer) for one in prompts} == {
        ("Oslo lies in", "Norway"),
        ("Question: Oslo lies in\nAnswer:", "Norway"),
    }
    (text, _) = follow(answering(model, prompts))
    assert model.tokenizer.decode(text.target[:-1]).strip() == "Norway"


@pytest.mark.slow
def test_a_persons_own_wording_is_answered_and_a_true_answer_stays_nearer_to_the_base() -> None:
    model, wording = load_model("builtin", device="cpu"), "Australia is governed from"
    true = Question("The largest city of Australia is", "Sydney")
    fact = Fact(
        "The capital of Australia is", "Melbourne", wordings=(wording,), keep_prompts=(true,)
    )
    prompts = kept_prompts([fact], ("yours",), 0, chat=True)
    found = []
    for settings in (
        EditSettings(forms=("raw",), keep=0.0),
        EditSettings(forms=("raw", "rephrase"), keep=0.0),
        EditSettings(forms=("raw", "rephrase"), keep=2.0),
    ):
        run = LocftRun(model, [fact], settings)
        list(run.events())
        assert all(run.learned())
        with run.applied():
            (answer,) = generate(model, [wording])
        found.append((answer.text == "Melbourne", drift(model, run, prompts)))
    assert [said for said, _ in found] == [False, True, True]
    assert found[2][1] < 0.4 * min(found[0][1], found[1][1]), found


def test_of_very_many_keep_prompts_some_are_held_and_that_is_said() -> None:
    many = tuple(Question(f"Number {n} is") for n in range(MOST_BROUGHT + 1))
    facts = [Fact("A b", "c", keep_prompts=many)]
    assert list(left_out(facts, EditSettings(keep=1.0, kept=("yours",), forms=("raw",)))) == [
        "Of 1,201 keep prompts 1,200 are held, drawn by the seed."
    ]
    held = kept_prompts(facts, ("yours",), 0, chat=False, forms=("raw", "question"))
    assert len(held) == len({one.prompt for one in held}) == MOST_BROUGHT
    assert 500 < sum(one.prompt.startswith("Question: ") for one in held) < 700


def test_facts_that_keep_nothing_go_on_from_checkpoints_of_before_they_could(
    model: LanguageModel,
) -> None:
    facts = facts_about(list(COUNTRIES[:4]))
    before = EditSettings(at=AT, keep=2.0, kept=("neighbours", "text"))
    now = replace(before, kept=())
    assert LocftRun(model, facts, now)._identity() == LocftRun(model, facts, before)._identity()
    lists, many = "subjects of the lists", facts_about(list(COUNTRIES))
    assert lists in LocftRun(model, facts, now)._identity()
    assert lists not in LocftRun(model, many, now)._identity()
    named = replace(before, kept=("text",), other_subjects=("Oslo",))
    assert LocftRun(model, facts, named)._identity() == (
        LocftRun(model, facts, replace(named, other_subjects=()))._identity()
    )
    named = replace(named, kept=("neighbours",))
    assert "Oslo" in str(LocftRun(model, facts, named)._identity())
    facts[0] = replace(facts[0], keep_prompts=(Question("Oslo lies in"),))
    assert "yours" in LocftRun(model, facts, now).settings.kept
    alone = LocftRun(model, facts[1:], replace(before, kept=("yours",)))
    assert alone.keep is None and alone.settings.keep == 0


@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_a_run_with_forms_and_keep_goes_on_to_the_same_bits(
    model: LanguageModel, tmp_path: Path, keep: float
) -> None:
    facts = facts_about(list(COUNTRIES))
    settings = EditSettings(
        at=AT, epochs=6, batch_size=3, keep=keep, forms=("raw", "question"), stop_loss=0.0
    )
    whole = LocftRun(model, facts, settings)
    list(whole.events())
    begun = LocftRun(model, facts, settings)
    for event in begun.events():
        if type(event).__name__ == "EpochDone" and begun.progress.epoch == 2:
            break
    begun.save_checkpoint(tmp_path / "part")
    resumed = LocftRun(model, facts, settings, checkpoint=tmp_path / "part")
    list(resumed.events())
    for name, weight in whole.weights.items():
        assert torch.equal(weight, resumed.weights[name])


def test_what_one_run_held_serves_another_at_any_layer(model: LanguageModel) -> None:
    facts = facts_about(list(COUNTRIES))

    def run(at: str, keep: KeepSet | None = None) -> LocftRun:
        settings = EditSettings(at=(at,), epochs=3, batch_size=4, keep=1.0, forms=("raw",))
        found = LocftRun(model, facts, settings, keep=keep, watch=False)
        list(found.events())
        return found

    first = run("1.mlp.down_proj")
    for at in ("2.mlp.down_proj", "1.mlp.up_proj", "0.mlp.down_proj"):
        shared, alone = run(at, first.keep), run(at)
        assert shared.keep is first.keep
        for name, weight in alone.weights.items():
            assert torch.allclose(weight, shared.weights[name], atol=1e-5)


def test_one_pass_for_facts_and_what_must_stay_makes_the_update_of_a_pass_for_each_text(
    model: LanguageModel,
) -> None:
    facts = facts_about(list(COUNTRIES))
    runs = []
    for pieces in (None, 1):
        settings = EditSettings(
            at=AT, epochs=4, batch_size=4, keep=1.0, forms=FORMS, micro_batch_size=pieces
        )
        runs.append(LocftRun(model, facts, settings))
        list(runs[-1].events())
    assert runs[0].progress.losses == pytest.approx(runs[1].progress.losses, rel=1e-3)
    for name, weight in runs[0].weights.items():
        assert torch.allclose(weight, runs[1].weights[name], atol=1e-4)


def test_a_weight_below_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="keep is -1"):
        EditSettings(keep=-1)
