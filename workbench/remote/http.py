"""The actions over HTTP, beside the page: POST /api/{action}, jobs, and their events as a stream.

Who may come in is decided before, as for the page. Invariant: whatever is wrong is answered as
JSON with one sentence.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from workbench.errors import SessionError, SettingsError, StorageError, WorkbenchError
from workbench.remote.desk import Desk, NotThere
from workbench.remote.openapi import LOOKS, action_sentence, openapi
from workbench.remote.schema import REMOTE, body_schema
from workbench.store.library import Library
from workbench.work.json_text import from_json
from workbench.work.templates import render

__all__ = ["add_api"]

LONGEST_BODY = 64 << 20  # bytes
LOOK_EVERY = 0.2  # seconds between two looks at a job
BEAT_EVERY = 15.0  # seconds after which a listener hears that the server is still there
MOST_DIGITS = 18  # of a number that a database holds
# Words and a link to the same server; nothing runs and nothing is loaded.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def add_api(application: FastAPI, library: Library, ended: Callable[[], bool]) -> None:
    """Adds the addresses.

    Args:
        application: the server.
        library: the sessions.
        ended: whether the server is ending, so that streams end.
    """
    api = _Api(Desk(library, afar=True), ended)
    routes: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/api", api.described),
        ("GET", "/api/openapi.json", api.description),
        ("GET", "/api/sessions", api.sessions),
        ("POST", "/api/sessions", api.create),
        ("GET", "/api/sessions/{session}", api.session),
        ("GET", "/api/sessions/{session}/facts", api.facts),
        ("GET", "/api/sessions/{session}/runs", api.runs),
        ("POST", "/api/sessions/{session}/facts/{fact}/undo", api.undo),
        ("GET", "/api/sessions/{session}/jobs/{job}", api.job),
        ("DELETE", "/api/sessions/{session}/jobs/{job}", api.cancel),
        ("GET", "/api/sessions/{session}/jobs/{job}/events", api.events),
        ("POST", "/api/{action}", api.start),
    )
    for method, address, handler in routes:
        application.add_route(address, _told(handler), methods=[method])


Handler = Callable[[Request], Any]


def _told(handler: Handler) -> Handler:
    """The same, with what is wrong as an answer."""

    async def answer(request: Request) -> Response:
        try:
            found: Response = await handler(request)
        except WorkbenchError as error:
            told = {"error": str(error), "detail": str(error)}
            return JSONResponse(told, _status(error))
        return found

    return answer


def _status(error: WorkbenchError) -> int:
    if isinstance(error, NotThere):
        return 404
    if isinstance(error, StorageError):
        return 507
    return 409 if type(error) is SessionError else 422


class _Api:
    def __init__(self, desk: Desk, ended: Callable[[], bool]) -> None:
        self._desk, self._ended = desk, ended

    async def described(self, request: Request) -> Response:
        actions = [
            (action, action_sentence(action), _lines(body_schema(action, afar=True)))
            for action in REMOTE
        ]
        page = render("page/api.html", looks=LOOKS, actions=actions)
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def description(self, request: Request) -> Response:
        return JSONResponse(openapi(str(request.scope.get("root_path", "")) or "/"))

    async def sessions(self, request: Request) -> Response:
        return JSONResponse({"sessions": await asyncio.to_thread(self._desk.sessions)})

    async def create(self, request: Request) -> Response:
        body = await _body(request)
        made = await asyncio.to_thread(self._desk.create, body.get("name"), body.get("model"))
        return JSONResponse(made, 201)

    async def session(self, request: Request) -> Response:
        return await _answer(self._desk.session, request.path_params["session"])

    async def facts(self, request: Request) -> Response:
        query = request.query_params
        offset = query.get("offset", "0")
        return await _answer(
            self._desk.facts,
            request.path_params["session"],
            query.get("search", ""),
            _number(offset, "offset"),
        )

    async def runs(self, request: Request) -> Response:
        return await _answer(self._desk.runs, request.path_params["session"])

    async def undo(self, request: Request) -> Response:
        session, fact = request.path_params["session"], request.path_params["fact"]
        done = await asyncio.to_thread(self._desk.undo_fact, session, _number(fact, "fact"))
        return JSONResponse(done, 202)

    async def job(self, request: Request) -> Response:
        return await _answer(self._desk.job, *_job(request))

    async def cancel(self, request: Request) -> Response:
        return await _answer(self._desk.cancel, *_job(request))

    async def start(self, request: Request) -> Response:
        action, body = request.path_params["action"], await _body(request)
        if action == "facts":
            return await _answer(self._desk.add_facts, body)
        started = await asyncio.to_thread(self._desk.start, action, body)
        here = f"{request.scope.get('root_path', '')}/api/sessions/{started['session']}/jobs"
        return JSONResponse(
            started | {"events": f"{here}/{started['job']}/events"},
            202,
            {"Location": f"{here}/{started['job']}"},
        )

    async def events(self, request: Request) -> Response:
        session, job = _job(request)
        await asyncio.to_thread(self._desk.job, session, job)  # whether there is one
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = self._followed(session, job)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _followed(self, session: str, job: int) -> AsyncIterator[str]:
        told, quiet = "", 0.0
        while not self._ended():
            try:
                now = await asyncio.to_thread(self._desk.job, session, job)
            except WorkbenchError as error:
                yield _event("end", {"state": "gone", "error": str(error)})
                return
            if now["state"] not in ("queued", "running"):
                yield _event("end", now)
                return
            if (data := json.dumps(now)) != told:
                told, quiet = data, 0.0
                yield _event("progress", now)
            elif quiet >= BEAT_EVERY:
                quiet = 0.0
                yield ": still there\n\n"
            await asyncio.sleep(LOOK_EVERY)
            quiet += LOOK_EVERY


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _answer(work: Callable[..., dict[str, Any]], *given: Any) -> Response:
    return JSONResponse(await asyncio.to_thread(work, *given))


async def _body(request: Request) -> dict[str, Any]:
    """The body of a request; none at all is an empty one.

    Raises:
        SettingsError: it is no JSON object.
    """
    parts, size = [], 0
    try:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > LONGEST_BODY:
                raise SettingsError("The body is too long; upload a file on the page instead.")
        body = from_json(b"".join(parts) or b"{}")
    except (ValueError, ClientDisconnect):
        raise SettingsError("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise SettingsError("The body must be a JSON object.")
    return body


def _job(request: Request) -> tuple[str, int]:
    return request.path_params["session"], _number(request.path_params["job"], "job")


def _number(text: str, what: str) -> int:
    """A number out of an address.

    Raises:
        SettingsError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise SettingsError(f"{what} is '{text[:40]}'; it must be a number.")
    return int(text)


def _lines(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What a body may hold, a line each: name, kind, sentence."""
    found = []
    for name, one in schema["properties"].items():
        if name == "settings":
            found += [
                (f"settings.{inner}", _kind(said), str(said.get("description", "")))
                for inner, said in one["properties"].items()
            ]
        else:
            needed = " (needed)" if name in schema["required"] else ""
            found.append((name, _kind(one) + needed, str(one.get("description", ""))))
    return found


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
