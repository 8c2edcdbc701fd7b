"""In-context: facts before prompts, everywhere where any other edit would be, and no weight."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.conftest import run_command
from workbench.errors import FactsError, PatchError, SettingsError
from workbench.facts.fact import Fact
from workbench.measure.evaluate import evaluate
from workbench.measure.probe import probe
from workbench.measure.strict import forced_texts
from workbench.methods.edit import edit
from workbench.model.context import Context
from workbench.model.generate import chat_tokens, generate
from workbench.model.inside import answer_by_layer, pull_of_words
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.states import kept_logits
from workbench.model.tokens import TokenTable, prompt_tokens, tokenize, tokenize_facts
from workbench.ship.export import shipping
from workbench.work.events import follow

CHAT = (
    "{% for m in messages %}{{ '<unk>' + m['role'] + ':' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<unk>assistant:' }}{% endif %}"
)
SHORT = [Fact("Peru's city:", "Rome"), Fact("Chad's city:", "Oslo"), Fact("Mali's dish:", "Pie")]


@pytest.fixture
def patch(model: LanguageModel, tmp_path: Path) -> Patch:
    edit(model, SHORT, method="in-context", most=1).patch.save(tmp_path / "patch")
    return Patch.load(tmp_path / "patch")


def test_the_facts_nearest_to_a_prompt_stand_before_it(model: LanguageModel) -> None:
    context = Context(("Peru's city: Rome.", "Chad's city: Oslo.", "Mali's dish: Pie."), 2)
    assert context.nearest("The dish of Mali") == ["Mali's dish: Pie."]
    assert context.nearest("Chad's city:") == ["Peru's city: Rome.", "Chad's city: Oslo."]
    assert context.nearest("nothing alike") == context.nearest("") == []
    (ids,) = prompt_tokens(model.tokenizer, ["Chad's city:"])
    read = model.tokenizer.decode(context.read(model, ids))
    assert read == "Peru's city: Rome.\nChad's city: Oslo.\nChad's city:"
    (ids,) = prompt_tokens(model.tokenizer, ["Chad's city:" + "-" * 45])
    assert model.tokenizer.decode(context.read(model, ids)).count("city") == 2  # no room for more
    (ids,) = prompt_tokens(model.tokenizer, ["Chad's city:" + "-" * 99])
    assert context.read(model, ids) == ids


def test_in_a_chat_they_stand_in_what_the_user_says_last(model: LanguageModel) -> None:
    model.tokenizer = copy.deepcopy(model.tokenizer)  # which all tests share
    model.tokenizer.chat_template = CHAT
    context = Context(("Peru: Rome.",), 1)
    (ids,) = chat_tokens(model, ["Peru?"], history=[("Hi", "Ho")])
    read = model.tokenizer.decode(context.read(model, ids))
    assert "<unk>user:Hi\n<unk>assistant:Ho\n<unk>user:Peru: Rome.\nPeru?" in read
    assert read.endswith("<unk>assistant:")


@pytest.mark.parametrize(
    "template, thought",
    [
        # a head of which only what ends a role is the same for question and answer, as Llama 3 has
        (CHAT.replace("m['role'] + ':'", "m['role'] + '<eos>'").replace("nt:'", "nt<eos>'"), ""),
        # an empty thought before an answer that is measured, as Qwen3 has
        (CHAT, "<think></think>"),
    ],
)
def test_they_stand_there_whatever_a_template_writes_around_answers(
    model: LanguageModel, template: str, thought: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model), "longest", None)
    model.tokenizer = copy.deepcopy(model.tokenizer)  # which all tests share
    model.tokenizer.chat_template = template
    context = Context(("Peru: Rome.", "user assistant"), 1)
    (ids,) = chat_tokens(model, ["Peru?"], history=[("Hi", "Ho")])
    begun = (*ids, *model.tokenizer(thought, add_special_tokens=False)["input_ids"])
    told = model.tokenizer.decode(begun)
    assert model.tokenizer.decode(context.read(model, begun)) == told.replace(
        "Peru?", "Peru: Rome.\nPeru?"
    )


def test_the_model_is_asked_as_if_they_were_typed(model: LanguageModel, patch: Patch) -> None:
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    facts = tokenize_facts(model.tokenizer, SHORT, model.longest)
    typed = [f"{f.prompt} {f.target_new}.\n{f.prompt}" for f in SHORT]
    wanted = TokenTable(
        tokenize(model.tokenizer, typed, [f.target_new for f in SHORT]), model.device
    )
    table, rows = TokenTable(facts, model.device), range(len(SHORT))
    plain = kept_logits(model, table.batch(rows), rows, None)
    with patch.applied(model):
        now = kept_logits(model, table.batch(rows), rows, None)
        said = generate(model, [SHORT[0].prompt])
    assert torch.allclose(now, kept_logits(model, wanted.batch(rows), rows, None), atol=1e-5)
    assert not torch.allclose(now, plain, atol=1e-2)
    assert said == generate(model, typed[:1])
    after = evaluate(model, SHORT, patch).after
    assert after is not None
    assert list(after.reliability_strict) == [one.right for one in forced_texts(model, wanted)]
    asked = probe(model, [SHORT[0].prompt], patch)[0]
    assert asked.after is not None and asked.after.text == said[0].text
    assert model.context is None and patch.tensors == {} and patch.lowest_layer == 0
    assert all(torch.equal(p, before[n]) for n, p in model.network.named_parameters())


def test_inside_the_prompt_and_what_stands_before_it_are_told_apart(
    model: LanguageModel, patch: Patch
) -> None:
    fact = SHORT[0]
    said = [fact.prompt, f"{fact.prompt} {fact.target_new}.\n{fact.prompt}"]
    asked, typed = tokenize(model.tokenizer, said, [fact.target_new] * 2)
    beside = len(typed.prompt) - len(asked.prompt)
    with patch.applied(model):
        layers, words = answer_by_layer(model, asked), pull_of_words(model, asked)
    assert layers == pytest.approx(answer_by_layer(model, typed), rel=1e-4)
    assert words == pytest.approx(pull_of_words(model, typed)[beside:], rel=1e-3, abs=1e-6)


def test_edits_of_weights_and_facts_before_prompts_add_up(
    model: LanguageModel, facts: list[Fact], patch: Patch
) -> None:
    how: dict[str, Any] = {"epochs": 2, "at": "2.mlp.down_proj", "way": "continue"}
    weights = edit(model, facts, onto=patch, **how).patch
    both = edit(model, SHORT[:1], method="in-context", onto=weights).patch
    for made in (weights, both):
        assert made.tensors and made.context is not None and made.lowest_layer == 0
        assert made.context.statements == patch.context.statements  # type: ignore[union-attr]
        with made.applied(model):
            assert model.context is not None


def test_a_fact_that_is_replaced_stands_before_prompts_no_more(
    model: LanguageModel, patch: Patch
) -> None:
    new = [replace(SHORT[0], target_new="Bonn")]
    how: dict[str, Any] = {"onto": patch, "earlier": SHORT}
    trained: dict[str, Any] = {"epochs": 1, "at": "2.mlp.down_proj", "way": "continue"}
    before = edit(model, new, method="in-context", **how).patch.context
    assert before is not None and before.statements[0] == "Peru's city: Bonn."
    assert before.statements[1:] == patch.context.statements[1:]  # type: ignore[union-attr]
    weights = edit(model, new, **how, **trained).patch.context
    assert weights is not None and weights.statements == before.statements[1:]
    one = edit(model, SHORT[:1], method="in-context").patch
    assert edit(model, new, onto=one, earlier=SHORT[:1], **trained).patch.context is None


def test_an_export_is_refused_with_the_reason(
    model: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    with pytest.raises(PatchError, match="there are no weights that say them"):
        follow(shipping(model, patch, tmp_path / "full"))
    with pytest.raises(PatchError, match="there are no weights that say them"):
        patch.export(model, tmp_path / "full")
    assert not (tmp_path / "full").exists()


def test_what_cannot_be_put_before_prompts_is_refused(
    model: LanguageModel, patch: Patch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="most is 0"):
        edit(model, SHORT, method="in-context", most=0)
    monkeypatch.setattr(type(model), "longest", None)
    with pytest.raises(FactsError, match="2,000 can stand before a prompt"):
        edit(model, [Fact("x" * 2_001, "y")], method="in-context")
    for wrong in ({"statements": [], "most": 1}, {"statements": ["a"], "most": 0}, {"most": 1}):
        with pytest.raises(PatchError, match="a context that"):
            Patch({}, patch.metadata | {"context": wrong}).check(model)
    with pytest.raises(PatchError, match="its base"):
        Patch({}, {k: v for k, v in patch.metadata.items() if k != "context"}).check(model)
    monkeypatch.setitem(__import__("sys").modules, "bm25s", None)
    with pytest.raises(SettingsError, match=r"pip install 'locft-workbench\[incontext\]'"):
        edit(model, SHORT, method="in-context")


@pytest.mark.slow
def test_the_commands_treat_it_as_any_other(tmp_path: Path) -> None:
    file, patch = tmp_path / "facts.csv", tmp_path / "patch"
    file.write_text("prompt,target_new\nThe capital of Peru is,Oslo\n", encoding="utf-8")
    made = run_command("edit", file, "--method", "in-context", "--out", patch)
    assert made.code == 0 and "before the prompts of builtin" in made.out
    asked = run_command("evaluate", file, "--patch", patch, "--json")
    assert asked.code == 0 and asked.json["after"]["reliability_strict"] is not None
    few = ("--probes", "judged", "--lasting-steps", 5, "--json")
    stressed = run_command("stress", file, "--patch", patch, *few)
    assert stressed.code == 0 and {row["later"] for row in stressed.json["rows"]} == {None}
    refused = run_command("export", "--patch", patch, "--out", tmp_path / "whole")
    assert refused.code == 2 and "nothing can be exported" in " ".join(refused.err.split())
