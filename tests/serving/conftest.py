"""The built-in model and one edit of it behind an endpoint, as clients meet it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from openai import OpenAI

from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.serving.server import Ready, serving_model
from workbench.ship.serve_settings import ServeModelSettings
from workbench.store.store import Store

FACTS = [
    Fact("The capital of Australia is", "Melbourne"),
    Fact("The capital of France is", "Lyon"),
    Fact("The capital of Japan is", "Osaka"),
]


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture(scope="module")
def patch(base: LanguageModel) -> Patch:
    return edit(base, FACTS, epochs=15, batch_size=3).patch


@dataclass(frozen=True)
class Client:
    """A client of an endpoint: OpenAI's own, and a plain one for what that would not send."""

    ready: Ready
    openai: OpenAI
    http: httpx.Client

    def post(self, path: str, **body: Any) -> Any:
        """The reply to a request that must succeed."""
        reply = self.http.post(path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def say(self, prompt: Any, **more: Any) -> Any:
        """The first choice of a completion, greedy unless more is said."""
        body = {"model": "base", "temperature": 0, "max_tokens": 12, "prompt": prompt} | more
        return self.post("completions", **body)["choices"][0]


@contextmanager
def client_of(
    model: LanguageModel, patches: dict[str, Patch], store: Store | None = None, token: str = ""
) -> Iterator[Client]:
    """An endpoint for the length of a block."""
    with serving_model(model, patches, ServeModelSettings(port=0, token=token), store) as ready:
        thread = threading.Thread(target=ready.server.run, args=([ready.listener],))
        thread.start()
        try:
            with (
                OpenAI(base_url=ready.url, api_key="none", max_retries=0, timeout=60) as openai,
                httpx.Client(base_url=ready.url, timeout=60) as http,
            ):
                yield Client(ready, openai, http)
        finally:
            ready.server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(patch: Patch) -> Iterator[Client]:
    """A client; what is served is a model of its own, which the tests' own never disturbs."""
    with client_of(load_model("builtin", device="cpu"), {"capitals": patch}) as found:
        yield found
