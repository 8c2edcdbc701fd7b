"""The description of the HTTP interface, drawn from the table of actions: OpenAPI 3.1."""

from typing import Any

from workbench._version import __version__
from workbench.actions import ACTIONS
from workbench.remote.schema import REMOTE, body_schema

__all__ = ["LOOKS", "action_sentence", "openapi"]

LOOKS: tuple[tuple[str, str, str], ...] = (
    ("get", "/api/sessions", "List the sessions, the one opened last first."),
    ("post", "/api/sessions", "Make a session without facts: name, and model where it is another."),
    ("get", "/api/sessions/{session}", "Tell of one session."),
    ("get", "/api/sessions/{session}/facts", "List facts; ?search=TEXT, ?offset=N."),
    ("get", "/api/sessions/{session}/runs", "List runs, the newest first."),
    (
        "post",
        "/api/sessions/{session}/facts/{fact}/undo",
        "Untick a fact by its number, and start the last run once more, without it.",
    ),
    ("get", "/api/sessions/{session}/jobs/{job}", "Tell how far a job is, and what came of it."),
    ("delete", "/api/sessions/{session}/jobs/{job}", "Ask for a job's end."),
    (
        "get",
        "/api/sessions/{session}/jobs/{job}/events",
        "Follow a job as server-sent events: progress, then one end.",
    ),
)
"""What there is besides the actions: method, address, what it does."""

# Where a session has what a command is given.
_SENTENCES = {
    "facts": "Add facts to a session.",
    "edit": "Compile the ticked facts into a patch of the model: a run.",
    "probe": "Ask the model before and after the run that is shown.",
    "export": "Write a run where people run it: as a model, GGUF file, adapter or task vector.",
}
_NUMBERS = ("fact", "job")


def action_sentence(action: str) -> str:
    """What an action does, in one line."""
    return _SENTENCES.get(action) or ACTIONS[action].sentence


def openapi(server: str = "/") -> dict[str, Any]:
    """The description.

    Args:
        server: the address under which everything is.
    """
    paths: dict[str, dict[str, Any]] = {}
    for method, address, sentence in LOOKS:
        paths.setdefault(address, {})[method] = _looked(method, address, sentence)
    for action in REMOTE:
        paths[f"/api/{action}"] = {"post": _started(action)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "LocFT Workbench", "version": __version__},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _object({"error": {"type": "string"}}), "Job": _JOB},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_JOB = _object(
    {
        "session": {"type": "string"},
        "job": {"type": "integer"},
        "action": {"type": "string"},
        "state": {
            "type": "string",
            "enum": ["queued", "running", "done", "cancelled", "failed", "interrupted"],
        },
        "progress": {"type": ["number", "null"]},
        "line": {"type": "string"},
        "error": {"type": "string"},
        "result": {"type": "object"},
    }
)


def _answers(status: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    wrong = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        status: {"description": "Done.", "content": {kind: {"schema": schema}}},
        "default": {"description": "What is wrong.", "content": {"application/json": wrong}},
    }


def _started(action: str) -> dict[str, Any]:
    job = {"$ref": "#/components/schemas/Job"}
    body = {"application/json": {"schema": body_schema(action, afar=True)}}
    return {
        "operationId": action,
        "summary": action_sentence(action),
        "requestBody": {"required": True, "content": body},
        "responses": _answers("200", {"type": "object"})
        if action == "facts"
        else _answers("202", job),
    }


def _looked(method: str, address: str, sentence: str) -> dict[str, Any]:
    names = [part[1:-1] for part in address.split("/") if part.startswith("{")]
    kinds = {name: "integer" if name in _NUMBERS else "string" for name in names}
    words = [part.strip("{}") for part in address.split("/")[2:]]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": kind}}
        for name, kind in kinds.items()
    ]
    if address.endswith("/facts"):
        parameters += [
            {"name": "search", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "offset", "in": "query", "required": False, "schema": {"type": "integer"}},
        ]
    kind = "text/event-stream" if address.endswith("/events") else "application/json"
    found: dict[str, Any] = {
        "operationId": "_".join([method, *words]),
        "summary": sentence,
        "parameters": parameters,
        "responses": _answers("200", {"type": "object"}, kind),
    }
    if (method, address) == ("post", "/api/sessions"):
        schema = _object({"name": {"type": "string"}, "model": {"type": ["string", "object"]}})
        body = {"application/json": {"schema": schema | {"required": ["name"]}}}
        found["requestBody"] = {"required": True, "content": body}
    return found
