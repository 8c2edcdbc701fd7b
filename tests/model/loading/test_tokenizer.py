"""A tokenizer that is not the model's, or is of another time: one line that says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from tests.conftest import byte_tokenizer
from tests.model.loading.conftest import Copies
from workbench.errors import ModelError
from workbench.model.generate import generate
from workbench.model.load import load_model, load_tokenizer
from workbench.model.tokens import tokenize


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A model folder with another tokenizer.json."""
    path = folder / "tokenizer.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    change(written)
    path.write_text(json.dumps(written), encoding="utf-8")
    return folder


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a newer version": (
        lambda written: written.update(version="9.0"),
        "of a format that is not known here (Unknown tokenizer version '9.0'",
    ),
    "a newer model": (
        lambda written: written["model"].update(type="Quantum"),
        "of a format that is not known here (data did not match any variant",
    ),
    "a newer splitter": (
        lambda written: written["pre_tokenizer"].update(type="Laser"),
        "of a format that is not known here",
    ),
    "no model": (lambda written: written.pop("model"), "no tokenizer that can be read: Model"),
    "no text": (lambda written: written.update(model=3), "tokenizer.json"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_tokenizer_of_another_format_is_told(what: str, copies: Copies) -> None:
    change, says = CHANGES[what]
    folder = str(rewritten(copies(), change))
    for load in (load_model, load_tokenizer):
        with pytest.raises(ModelError) as refused:
            load(folder)
        assert says in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 50_000, '"tokens"', "\x00"])
def test_a_tokenizer_that_is_none_is_told(text: str, copies: Copies) -> None:
    folder = copies()
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ModelError, match="tokenizer") as refused:
        load_model(str(folder))
    assert len(str(refused.value).splitlines()) == 1


def test_a_model_without_a_tokenizer_says_so(copies: Copies) -> None:
    folder = copies()
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match=r"neither a tokenizer\.json nor .* into the model's"):
        load_model(str(folder))


def test_more_tokens_than_embeddings_are_refused_before_the_weights_are_read(
    copies: Copies,
) -> None:
    folder = copies()
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["<one more>", "<and more>"])
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:9000])
    with pytest.raises(ModelError):
        load_model(str(folder))
    (folder / "model.safetensors").write_bytes((copies.original / "model.safetensors").read_bytes())
    with pytest.raises(
        ModelError, match="'<one more>' is number 260, and 1 more, and the last embedding is"
    ):
        load_model(str(folder))


@pytest.mark.parametrize("role", ["eos_token", "pad_token"])
def test_an_end_or_padding_beyond_the_embeddings_is_refused(role: str, copies: Copies) -> None:
    folder = copies()
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens({role: "<new>"})
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="'<new>' is number 260"):
        load_model(str(folder), device="cpu")


def test_a_special_token_that_no_text_has_is_told_and_left(copies: Copies) -> None:
    folder = copies()
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(folder)
    model = load_model(str(folder), device="cpu")
    (notice,) = model.notices
    assert "1 special token without an embedding, such as <image>" in notice
    rows = list(tokenize(model.tokenizer, ["Rome is"], ["here"]))
    assert len(rows) == 1
    assert generate(model, ["Rome is"], max_new_tokens=1)
    with pytest.raises(ModelError, match="a token without an embedding, number 260"):
        generate(model, ["Rome <image> is"], max_new_tokens=1)


class PanicException(BaseException):
    """As the tokenizers library raises where its own code breaks off."""


@pytest.mark.parametrize("kind", [PanicException, Exception, TypeError, RecursionError])
def test_whatever_class_of_error_a_library_raises_is_told_in_words(
    kind: type[BaseException], copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> object:
        raise kind("it went\nwrong")

    folder = str(copies())
    for library in (AutoTokenizer, AutoConfig, AutoModelForCausalLM):
        if kind is PanicException and library is not AutoTokenizer:
            continue
        with monkeypatch.context() as patched:
            patched.setattr(library, "from_pretrained", broken)
            with pytest.raises(ModelError) as refused:
                load_model(folder, device="cpu")
        assert len(str(refused.value).splitlines()) == 1
        assert "it went" in str(refused.value) or kind is RecursionError


def test_a_wish_to_end_is_no_error(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*args: object, **options: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", ended)
    with pytest.raises(KeyboardInterrupt):
        load_model(str(copies()), device="cpu")
