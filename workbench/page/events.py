"""What of Gradio is served: the routes that the page uses, and events that the page could send.

Gradio brings many more routes, of which some fetch what other sites have or write to the disk. The
page needs a handful; the others are not there. A body that no page of ours sends is refused with
what is wrong with it, before Gradio looks at it.
Knows nothing about who may send it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.page.access.body import TooLong, drain, read_body

__all__ = ["guard_gradio"]

_READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(?:static|assets)/.+"
    r"|/gradio_api/(?:info/?|theme\.css|startup-events|upload_progress|file=(?!https?:).+)"
)
_PAGES = ("/", "/config", "/config/")
_UPLOAD = "/gradio_api/upload"
_EVENT = re.compile(r"/gradio_api/run/predict/?")
_DEEPEST = 50
_LONGEST_EVENT = 256 << 20  # bytes; whole files are uploaded instead


class _Misfit(Exception):
    """A request that no page of ours sends; the message says what is wrong with it."""


def guard_gradio(application: FastAPI, blocks: gr.Blocks, uploads: Path) -> None:
    """Lets through to Gradio what the page uses.

    Args:
        application: Gradio is the last thing that was mounted on it.
        blocks: the page.
        uploads: the folder of what was uploaded.
    """
    mount = application.router.routes[-1]
    assert isinstance(mount, Mount)
    mount.app = _PageRoutes(mount.app, blocks, uploads.resolve())


class _PageRoutes:
    def __init__(self, app: ASGIApp, blocks: gr.Blocks, uploads: Path) -> None:
        self.inner, self._blocks, self._uploads = app, blocks, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["method"] == "POST" and _EVENT.fullmatch(path):
            await self._event(scope, receive, send)
        elif _is_used(scope["method"], path):
            # The page's own script reads the address; Gradio would take parts of it for its own.
            query = b"" if path in _PAGES else scope["query_string"]
            await self.inner({**scope, "query_string": query}, receive, send)
        else:
            await drain(receive)
            await _answer(404, "There is nothing at this address.")(scope, receive, send)

    async def _event(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, _LONGEST_EVENT)
            self._check(body)
        except TooLong:
            await _answer(413, "The event is too long.")(scope, receive, send)
            return
        except _Misfit as misfit:
            await _answer(422, str(misfit))(scope, receive, send)
            return
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(given, None) or await receive()

        await self.inner(scope, replay, _Unfit(send))

    def _check(self, body: bytes) -> None:
        event = _parsed(body)
        number, data = event.get("fn_index"), event.get("data")
        function = self._blocks.fns.get(number) if type(number) is int else None
        if function is None or function.fn is None:
            raise _Misfit("fn_index names no event that the server hears of.")
        takes = len(function.inputs)
        if not isinstance(data, list) or len(data) != takes:
            raise _Misfit(f"data must be a list of {takes} values.")
        list(_paths(event))  # no depth that would end in an error elsewhere
        # Gradio would copy any file of this machine, or of another one, to where it serves files.
        for path in _paths(data):
            if not self._is_uploaded(path):
                raise _Misfit("data names a file that was not uploaded.")
        if not isinstance(event.get("session_hash"), str | None):
            raise _Misfit("session_hash must be a text.")
        if type(event.get("trigger_id")) not in (int, type(None)):
            raise _Misfit("trigger_id must be a whole number.")

    def _is_uploaded(self, path: object) -> bool:
        try:
            return isinstance(path, str) and Path(path).resolve().is_relative_to(self._uploads)
        except (OSError, ValueError):  # no file can have such a name
            return False


class _Unfit:
    """Sends Gradio's answer; an error in what was sent is the sender's, not the server's."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            self._start = message
            return
        if self._start is not None:
            if message.get("body", b"").startswith(b'{"error":"'):
                self._start["status"] = 422
            await self._send(self._start)
            self._start = None
        await self._send(message)


def _paths(value: Any, depth: int = 0) -> Iterator[object]:
    """What a value, or anything in it, calls the path of a file."""
    if depth > _DEEPEST:
        raise _Misfit("The body is nested too deeply.")
    if isinstance(value, dict):
        if "path" in value:
            yield value["path"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _paths(part, depth + 1)


def _is_used(method: str, path: str) -> bool:
    if method in ("GET", "HEAD"):
        return _READ.fullmatch(path) is not None
    return method == "POST" and path == _UPLOAD


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
        if rb"\ud" in body.lower():  # half of a character has no place in any file
            json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _Misfit("The body must be JSON.") from None
    if not isinstance(event, dict):
        raise _Misfit("The body must be a JSON object.")
    return event


def _answer(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status)
