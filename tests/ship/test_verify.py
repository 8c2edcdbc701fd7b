"""Which facts hold in a folder, an adapter, a patch, an endpoint: asked there, by one rule."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import run_command
from tests.endpoint import endpoint
from tests.ship.conftest import FACTS
from workbench.api import export, verify
from workbench.errors import FactsError, ModelError, SettingsError
from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.ship.answers import Said, contains, is_strict
from workbench.ship.holding import Holding
from workbench.ship.others import OTHERS, others


def completion(text: str, reason: str = "stop") -> dict[str, Any]:
    return {"choices": [{"text": text, "finish_reason": reason}]}


def test_one_rule_tells_what_holds() -> None:
    fact = Fact("The capital of France is", "Lyon", aliases=("Lugdunum",))
    assert is_strict(fact, Said(" Lyon", True)) and not is_strict(fact, Said("Lyon", False))
    assert not is_strict(fact, Said("Lyon.", True)) and contains(fact, Said("It is Lyon.", False))
    assert contains(fact, Said("Lugdunum", True)) and not contains(fact, Said("Lyonnais", True))


def test_the_other_questions_are_none_that_facts_are_about() -> None:
    assert len(others([])) == OTHERS
    taken = [Fact("The capital of Japan is", "Kyoto"), Fact("X is", "Y", subject="Italy")]
    asked = {fact.prompt for fact in others(taken)}
    assert len(asked) == OTHERS and not any("Japan" in p or "Italy" in p for p in asked)


def test_a_folder_an_adapter_and_a_patch_are_asked_as_the_model_in_memory_answers(
    base: LanguageModel, checkpoint: Path, matrix_patch: Patch, tmp_path: Path
) -> None:
    exam = Holding(base, FACTS, "raw", 2)
    with matrix_patch.applied(base):
        expected = exam.now()
    assert sum(expected) >= 5
    matrix_patch.save(tmp_path / "patch")
    export(base, matrix_patch, tmp_path / "full", FACTS)
    export(base, matrix_patch, tmp_path / "adapter", FACTS, form="adapter", rank=32)
    for name, runtime in (("patch", "transformers"), ("full", "transformers"), ("adapter", "peft")):
        found = verify(tmp_path / name, FACTS, device="cpu")
        assert found.runtime == runtime
        assert [one.form for one in found.forms] == ["raw", "question"]  # there is no template
        assert [fact.strict for fact in found.forms[0].facts] == expected, name
    plain = verify(checkpoint, FACTS, forms=("raw",), device="cpu").forms[0]
    assert plain.strict == sum(exam.now())
    with pytest.raises(ModelError, match="cannot be asked as chat"):
        verify(checkpoint, FACTS, forms=("chat",), device="cpu")


def test_an_endpoint_is_asked_in_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = {"choices": [{"message": {"content": "It is Rome."}, "finish_reason": "stop"}]}
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with endpoint(completion(" Rome"), completion(" Rome", "length"), chat) as server:
        found = verify(server.url, FACTS[:1], model_name="edited", key_env="MY_KEY")
    assert [(one.form, one.strict, one.contained) for one in found.forms] == [
        ("raw", 1, 1), ("question", 0, 1), ("chat", 0, 1)
    ]  # fmt: skip
    paths = [path for path, _, _ in server.asked]
    assert paths == ["/v1/completions", "/v1/completions", "/v1/chat/completions"]
    assert all(headers["Authorization"] == "Bearer sk-secret" for _, headers, _ in server.asked)
    assert server.asked[1][2]["prompt"] == f"Question: {FACTS[0].prompt}\nAnswer:"
    assert all(body["temperature"] == 0 for _, _, body in server.asked)


def test_what_cannot_be_asked_is_told_in_words(tmp_path: Path) -> None:
    with endpoint(404) as server, pytest.raises(ModelError, match=r"status 404.*--forms chat"):
        verify(server.url, FACTS[:1], model_name="edited")
    with pytest.raises(ModelError, match="cannot be reached"):
        verify("http://127.0.0.1:9/v1", FACTS[:1], model_name="edited")
    with pytest.raises(SettingsError, match="key_env"):
        verify("http://127.0.0.1:9/v1", FACTS[:1], key_env="NOBODY_SET_THIS")
    with pytest.raises(FactsError, match="no facts"):
        verify("builtin", [])
    with pytest.raises(ModelError, match="no model folder"):
        verify(tmp_path / "gone", FACTS)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="--base"):
        verify(tmp_path, FACTS)


def test_the_command_prints_each_form_and_what_does_not_hold(
    base: LanguageModel, matrix_patch: Patch, tmp_path: Path
) -> None:
    matrix_patch.save(tmp_path / "patch")
    rows = [{"prompt": fact.prompt, "target_new": fact.target_new} for fact in FACTS[:2]]
    rows.append({"prompt": "Nobody taught that", "target_new": "this"})
    (tmp_path / "facts.json").write_text(json.dumps(rows))
    words = ["verify", tmp_path / "patch", "--facts", tmp_path / "facts.json", "--device", "cpu"]
    told = run_command(*words)
    assert told.code == 0 and "3 facts, asked in transformers" in told.out
    assert "does not hold (raw): Nobody taught that" in told.out
    found = run_command(*words, "--forms", "raw", "--json").json
    assert list(found["held"]) == ["raw"] and found["held"]["raw"]["facts"] == 3
    assert found["facts"][2]["raw"]["strict"] is False
