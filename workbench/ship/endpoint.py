"""An OpenAI-compatible endpoint as something that is asked: vLLM, SGLang, llama-server, Ollama.

Invariant: the key is sent to this address alone, and never printed.
"""

from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from workbench.errors import ModelError
from workbench.facts.forms import ASKED_FORMS, AskedForm, as_question
from workbench.ship.answers import Said
from workbench.work.stop import Stop

__all__ = ["Endpoint"]

PATIENCE = 300.0  # seconds for one answer


class Endpoint:
    """An endpoint, for the length of a block.

    Args:
        url: such as ``http://127.0.0.1:8000/v1``.
        model: its name there; empty for the first.
        key: sent as a bearer token; empty for none.
        stop: the wish to end what is asked.

    Raises:
        ModelError: it cannot be reached, or has no model.
    """

    forms: tuple[AskedForm, ...] = ASKED_FORMS

    def __init__(self, url: str, model: str = "", key: str = "", stop: Stop | None = None) -> None:
        self._url, self._model, self._stop = url.rstrip("/"), model, stop
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=PATIENCE)

    @property
    def runtime(self) -> str:
        """The endpoint, and its model."""
        return f"{self._model} at {self._url}"

    def __enter__(self) -> Self:
        if not self._model:
            try:
                self._model = str(self._asked("GET", "models")["data"][0]["id"])
            except (LookupError, TypeError):
                self._client.close()
                raise ModelError(f"{self._url} serves no model. Look at its address.") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def asking(
        self, prompts: Sequence[str], form: AskedForm, tokens: int
    ) -> Generator[int, None, list[Said]]:
        """See `Asks`."""
        found: list[Said] = []
        for prompt in prompts:
            if self._stop is not None:
                self._stop.check()
            found.append(self._said(prompt, form, tokens))
            yield len(found)
        return found

    def _said(self, prompt: str, form: AskedForm, tokens: int) -> Said:
        body: dict[str, Any] = {"model": self._model, "max_tokens": tokens, "temperature": 0}
        if form == "chat":
            body["messages"] = [{"role": "user", "content": prompt}]
            reply = self._asked("POST", "chat/completions", body)
        else:
            body["prompt"] = as_question(prompt) if form == "question" else prompt
            reply = self._asked("POST", "completions", body)
        try:
            choice = reply["choices"][0]
            text = choice["message"]["content"] if form == "chat" else choice["text"]
        except (LookupError, TypeError):
            raise ModelError(
                f"{self._url} answers with something else than a completion. Name an "
                "OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1."
            ) from None
        return Said(str(text or "").strip(), choice.get("finish_reason") == "stop")

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the endpoint replies.

        Raises:
            ModelError: it does not, and why.
        """
        try:
            reply = self._client.request(method, f"{self._url}/{path}", json=body)
            if reply.status_code == 200:
                return reply.json()
            why = f"answers {path} with the status {reply.status_code}"
        except httpx.InvalidURL:
            why = "is no address"
        except httpx.HTTPError as error:
            why = f"cannot be reached ({type(error).__name__})"
        except ValueError:
            why = f"answers {path} with something that is no JSON"
        hint = " Where it knows only chats, ask with --forms chat." if path == "completions" else ""
        raise ModelError(f"{self._url} {why}. Look at its address, its model and its key.{hint}")
