"""The routes of the endpoint: /v1/models, /v1/completions, /v1/chat/completions.

Invariant: whatever is wrong is answered in the shape in which OpenAI's clients read errors.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from jinja2 import TemplateError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from workbench.errors import ModelError, WorkbenchError
from workbench.model.tokens import prompt_tokens
from workbench.page.access.body import TooLong, read_body
from workbench.serving.body import Asked, Message, read_chat, read_completion
from workbench.serving.engine import Engine
from workbench.serving.replies import Choice, Replies
from workbench.serving.row import Piece, Row
from workbench.serving.shelf import Served, Shelf
from workbench.serving.writing import text_of
from workbench.serving.wrong import Wrong
from workbench.work.json_text import from_json
from workbench.work.stop import Stop
from workbench.work.words import one_line

__all__ = ["build_app"]

LONGEST_BODY = 64 << 20  # bytes
LOOK_EVERY = 0.25  # seconds between two looks whether somebody still waits
NO_LIMIT = 4096  # tokens of a chat's answer where neither client nor model sets an end

log = logging.getLogger(__name__)


def build_app(shelf: Shelf, engine: Engine) -> Starlette:
    """The endpoint, without its guard.

    Args:
        shelf: what is served.
        engine: answers.
    """
    served = _Endpoint(shelf, engine)
    return Starlette(
        routes=[
            Route("/v1/models", served.models),
            Route("/v1/models/{name:path}", served.model),
            Route("/v1/completions", served.completions, methods=["POST"]),
            Route("/v1/chat/completions", served.chats, methods=["POST"]),
        ],
        exception_handlers={Wrong: _wrong, HTTPException: _no_route, Exception: _bug},
    )


class _Endpoint:
    def __init__(self, shelf: Shelf, engine: Engine) -> None:
        self._shelf, self._engine = shelf, engine

    async def models(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._shelf.served)
        return JSONResponse({"object": "list", "data": [_model(one) for one in found]})

    async def model(self, request: Request) -> Response:
        return JSONResponse(_model(await self._found(request.path_params["name"])))

    async def completions(self, request: Request) -> Response:
        return await self._answer(request, read_completion)

    async def chats(self, request: Request) -> Response:
        return await self._answer(request, read_chat)

    async def _answer(self, request: Request, read: Callable[[object], Asked]) -> Response:
        asked = read(await _body(request))
        served = await self._found(asked.model)
        loop, pieces, stop = asyncio.get_running_loop(), asyncio.Queue[Piece](), Stop()

        def tell(piece: Piece) -> None:
            # The loop ends before the engine where the server is told to end.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        rows = await asyncio.to_thread(self._rows, asked, tell, stop)
        tokenizer = self._shelf.model.tokenizer
        replies = Replies(
            bool(asked.messages), served.name, tokenizer, asked.sampling.top is not None
        )
        self._engine.ask(served.name, rows)
        if asked.streams:
            parts = _streamed(asked, replies, rows, pieces)
            return _Stream(parts, stop)
        choices = [Choice() for _ in rows]
        try:
            async for piece in _until_over(rows, pieces, request):
                choices[piece.row].add(piece)
        finally:
            stop.ask()
        return JSONResponse(replies.whole(choices, _usage(asked, rows)))

    async def _found(self, name: str) -> Served:
        found = await asyncio.to_thread(self._shelf.find, name)
        if found is None:
            told = (
                f"The model '{one_line(name)}' is not served here; /v1/models lists those that are."
            )
            raise Wrong(told, "model", 404, "model_not_found")
        return found

    def _rows(self, asked: Asked, tell: Callable[[Piece], None], stop: Stop) -> list[Row]:
        """The answers that are to be made.

        Raises:
            Wrong: a prompt is none for this model.
        """
        model = self._shelf.model
        try:
            prompts = [self._chat(asked.messages)] if asked.messages else self._texts(asked)
        except ModelError as error:
            raise Wrong(str(error), "messages" if asked.messages else "prompt") from error
        rows: list[Row] = []
        for prompt in prompts:
            room = self._room(len(prompt), asked.sampling.max_tokens)
            echo = text_of(model.tokenizer, prompt) if asked.echo else None
            for draw in range(asked.choices):
                row = Row(
                    len(rows), prompt, room, asked.sampling, model.tokenizer, tell, stop, draw, echo
                )
                rows.append(row)
        return rows

    def _texts(self, asked: Asked) -> list[tuple[int, ...]]:
        model, found = self._shelf.model, []
        size = model.network.get_input_embeddings().num_embeddings
        for prompt in asked.prompts:
            if isinstance(prompt, str):
                found += prompt_tokens(model.tokenizer, [prompt])
            elif max(prompt) >= size:
                raise Wrong(f"prompt has a token that is not among the model's {size}.", "prompt")
            else:
                found.append(prompt)
        return found

    def _chat(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        tokenizer = self._shelf.model.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            raise Wrong("This model has no chat template. Ask it at /v1/completions.", "messages")
        try:
            text = tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True
            )
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            told = one_line(str(error)) or type(error).__name__
            raise Wrong(f"The model's chat template refuses this: {told}", "messages") from error
        found = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
        if not found:
            raise Wrong("Nothing was said. Write a message.", "messages")
        return found

    def _room(self, length: int, wanted: int | None) -> int:
        longest = self._shelf.model.longest
        if longest is not None and length >= longest and (wanted != 0 or length > longest):
            told = f"A prompt has {length} tokens; this model reads at most {longest}. Shorten it."
            raise Wrong(told, "prompt", code="context_length_exceeded")
        left = NO_LIMIT if longest is None else longest - length
        return left if wanted is None else min(wanted, left) if longest is not None else wanted


async def _body(request: Request) -> object:
    try:
        return from_json(await read_body(request.receive, LONGEST_BODY))
    except TooLong:
        raise Wrong("The body is too long.", status=413) from None
    except ValueError:
        raise Wrong("The body must be JSON.") from None


async def _until_over(
    rows: list[Row], pieces: "asyncio.Queue[Piece]", request: Request | None = None
) -> AsyncIterator[Piece]:
    """The pieces of all answers, until each has ended.

    Args:
        rows: the answers.
        pieces: where they are told.
        request: looked at, to see whether somebody still waits; None where a stream tells that.

    Raises:
        Wrong: an answer cannot be made, or nobody waits any more.
    """
    left, looked = len(rows), time.monotonic()
    while left:
        if request is not None and time.monotonic() - looked > LOOK_EVERY:
            looked = time.monotonic()
            if await request.is_disconnected():
                raise Wrong("The client has gone.", status=499)
        try:
            piece = await asyncio.wait_for(pieces.get(), LOOK_EVERY)
        except TimeoutError:
            continue
        if piece.error is not None:
            raise _told(piece.error)
        left -= piece.reason is not None
        yield piece


class _Stream(StreamingResponse):
    """An answer as it grows, whose making ends with it, also where the client is gone before the
    first part was asked for.
    """

    def __init__(self, parts: AsyncIterator[str], stop: Stop) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(parts, media_type="text/event-stream", headers=headers)
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stop.ask()


async def _streamed(
    asked: Asked, replies: Replies, rows: list[Row], pieces: "asyncio.Queue[Piece]"
) -> AsyncIterator[str]:
    try:
        if asked.messages:
            for row in rows:
                yield _event(replies.first(row.place), asked)
        async for piece in _until_over(rows, pieces):
            if piece.text or piece.reason or asked.sampling.top is not None:
                yield _event(replies.part(piece), asked)
        if asked.tells_usage:
            yield _event(replies.last(_usage(asked, rows)), asked)
        yield "data: [DONE]\n\n"
    except Wrong as wrong:
        yield f"data: {json.dumps(wrong.as_dict())}\n\n"


def _event(chunk: dict[str, Any], asked: Asked) -> str:
    if asked.tells_usage:
        chunk.setdefault("usage", None)
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def _usage(asked: Asked, rows: list[Row]) -> dict[str, int]:
    read = sum(len(row.prompt) for row in rows if row.draw == 0)
    written = sum(row.written for row in rows)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def _model(served: Served) -> dict[str, Any]:
    more = {"parent": served.of} if served.of else {}
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": "workbench",
    } | more


def _told(error: Exception) -> Wrong:
    if isinstance(error, WorkbenchError):
        return Wrong(str(error), status=500)
    return Wrong("This request ended with an error of the server; its log says which.", status=500)


async def _wrong(request: Request, error: Exception) -> Response:
    assert isinstance(error, Wrong)
    return JSONResponse(error.as_dict(), error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = f"There is no {request.method} {one_line(request.url.path)} here."
    return JSONResponse(Wrong(told, status=error.status_code).as_dict(), error.status_code)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("A request ended with an error", exc_info=error)
    return JSONResponse(_told(error).as_dict(), 500)
