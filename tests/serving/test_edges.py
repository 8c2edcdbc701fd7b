"""What few clients do, and no client may notice of another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message

from tests.apart import apart
from tests.conftest import byte_tokenizer, tiny_network
from tests.serving.conftest import Client, client_of
from workbench.errors import SettingsError
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model, prepare
from workbench.model.patch import Patch
from workbench.serving.app import _Stream
from workbench.serving.server import serving_model
from workbench.ship.serve_settings import ServeModelSettings
from workbench.store.store import Store
from workbench.work.stop import Stop

ODD: list[tuple[str, bytes]] = [
    ("completions", b'{"model": "base", "prompt": "\\ud800"}'),
    ("completions", b'{"model": "\\ud800", "prompt": "a"}'),
    ("completions", b'{"model": "base", "prompt": "a", "logit_bias": [[1e999, 1]]}'),
    ("completions", b'{"model": "base", "prompt": "\xed\xa0\x80"}'),
    (
        "chat/completions",
        b'{"model": "base", "messages": [{"role": "user\\udc00", "content": "a"}]}',
    ),
]


@pytest.mark.parametrize(("path", "body"), ODD)
def test_what_is_no_text_or_no_number_is_told_to_be_none(
    client: Client, path: str, body: bytes
) -> None:
    reply = client.http.post(path, content=body)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")


def test_too_many_prompts_are_told_to_be_too_many(client: Client) -> None:
    reply = client.http.post("completions", json={"model": "base", "prompt": ["a"] * 9000})
    assert reply.json()["error"]["param"] == "prompt"


@pytest.mark.parametrize("name", ["base", "builtin", "run-1"])
def test_no_edit_has_the_name_of_something_else(
    base: LanguageModel, patch: Patch, name: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    with (
        pytest.raises(SettingsError, match=f"'{name}'"),
        serving_model(base, {name: patch}, ServeModelSettings(port=0), store),
    ):
        pass
    store.close()


def test_an_address_that_is_none_is_told_to_be_none(client: Client) -> None:
    told = client.http.get("models/" + "a" * 300).json()["error"]["message"]
    assert told == "There is nothing at this address."


def test_a_prompt_of_no_tokens_disturbs_nobody(patch: Patch) -> None:
    model = load_model("builtin", device="cpu")
    model.tokenizer.chat_template = "{{ messages[0].content }}"
    with client_of(model, {}) as client:
        body = {"model": "base", "messages": [{"role": "user", "content": ""}]}
        assert client.http.post("chat/completions", json=body).status_code == 400


def test_an_echo_is_the_text_that_was_asked() -> None:
    model = prepare("tiny", tiny_network("Llama"), byte_tokenizer())
    tokens = [256, *model.tokenizer("a .")["input_ids"]]  # with a mark of its beginning
    with client_of(model, {}) as client:
        assert client.say(tokens, max_tokens=0, echo=True)["text"] == "a ."


def test_what_nobody_began_to_hear_is_not_made() -> None:
    stop = Stop()

    async def parts() -> AsyncIterator[str]:
        yield "never"

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    apart(lambda: asyncio.run(_Stream(parts(), stop)({"type": "http"}, receive, send)))
    assert stop.asked
