"""The Model Context Protocol over standard input and output, as far as tools need it.

One JSON-RPC message a line. Known are initialize, ping, tools/list, tools/call and the
notifications initialized and cancelled; resources, prompts and sampling are not offered. Calls run
side by side, so that a long one keeps nothing else waiting. Invariant: nothing but messages is
written to the output.
"""

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from workbench._version import __version__
from workbench.errors import WorkbenchError
from workbench.remote.desk import Desk
from workbench.remote.owner import Owner
from workbench.remote.tools import Tools
from workbench.work.stop import Stop

__all__ = ["Conversation", "converse"]

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")
"""The versions of the protocol that are spoken, the newest first."""

INSTRUCTIONS = (
    "Edits facts in a language model. Add facts to a session, 'sweep' to learn where they are best "
    "edited, 'edit' to compile them into a patch, 'probe' and 'evaluate' to see what changed, "
    "'undo_fact' to take one back. What a person does on the page of the same sessions is seen "
    "here, and the other way round."
)

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602

log = logging.getLogger(__name__)


class _Refused(Exception):
    """A request that cannot be answered.

    Args:
        code: of JSON-RPC.
        message: one sentence.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Conversation:
    """What one client says, and what it is answered.

    Args:
        tools: what it may call.
        output: where answers go, a line each.
    """

    def __init__(self, tools: Tools, output: TextIO) -> None:
        self._tools, self._output = tools, output
        self._writing = threading.Lock()
        self._calls: dict[str | int, Stop] = {}
        self._threads: list[threading.Thread] = []
        self._closing = Stop()

    def follow(self, lines: Iterable[str]) -> None:
        """Answers until there are no more lines; calls that still wait are answered then."""
        for line in lines:
            if line.strip():
                self._hear(line)
        self._closing.ask()
        for thread in self._threads:
            thread.join()

    def _hear(self, line: str) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._say({"id": None, "error": {"code": PARSE_ERROR, "message": "This is no JSON."}})
            return
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            if isinstance(message, dict) and ("result" in message or "error" in message):
                return  # an answer, though nothing was asked
            told = {"code": INVALID_REQUEST, "message": "This is no request."}
            self._say({"id": None, "error": told})
            return
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        number = message.get("id")
        if isinstance(number, str | int) and not isinstance(number, bool):
            self._answer(number, message["method"], params)
        elif message["method"] == "notifications/cancelled":
            stop = self._calls.get(params.get("requestId", ""))
            if stop is not None:
                stop.ask()

    def _answer(self, number: str | int, method: str, params: dict[str, Any]) -> None:
        try:
            if method == "tools/call":
                self._begin_call(number, params)
                return
            result = self._result(method, params)
        except _Refused as refused:
            told = {"code": refused.code, "message": refused.message}
            self._say({"id": number, "error": told})
        else:
            self._say({"id": number, "result": result})

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "initialize":
            asked = params.get("protocolVersion")
            return {
                "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                "capabilities": {"tools": {"listChanged": False}},
                "serverInfo": {"name": "locft-workbench", "version": __version__},
                "instructions": INSTRUCTIONS,
            }
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": self._tools.listed()}
        raise _Refused(NO_METHOD, f"There is no method '{method}' here.")

    def _begin_call(self, number: str | int, params: dict[str, Any]) -> None:
        name, given = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or name not in self._tools:
            raise _Refused(INVALID_PARAMS, f"There is no tool '{name}'.")
        if not isinstance(given, dict):
            raise _Refused(INVALID_PARAMS, "arguments must be an object.")
        told = params.get("_meta")
        token = told.get("progressToken") if isinstance(told, dict) else None
        stop = self._calls[number] = Stop()
        work = threading.Thread(target=self._call, args=(number, name, given, stop, token))
        self._threads = [thread for thread in self._threads if thread.is_alive()] + [work]
        work.start()

    def _call(
        self,
        number: str | int,
        name: str,
        given: Mapping[str, Any],
        stop: Stop,
        token: str | int | None,
    ) -> None:
        def on_progress(share: float, line: str) -> None:
            if token is not None:
                said = {"progressToken": token, "progress": share, "total": 1.0, "message": line}
                self._say({"method": "notifications/progress", "params": said})

        try:
            found = self._tools.call(name, given, stop, on_progress, self._closing)
            failed = found.get("state") in ("failed", "interrupted")
            result = _content(json.dumps(found, ensure_ascii=False), failed)
            result["structuredContent"] = found
        except WorkbenchError as error:
            result = _content(str(error), True)
        except Exception:
            log.exception("The tool %s failed", name)
            result = _content(
                "This ended with an error of the workbench; its log says which.", True
            )
        finally:
            self._calls.pop(number, None)
        if not stop.asked:  # nobody waits for the answer to what was cancelled
            self._say({"id": number, "result": result})

    def _say(self, message: dict[str, Any]) -> None:
        text = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=True)
        with self._writing:
            try:
                self._output.write(text + "\n")
                self._output.flush()
            except (OSError, ValueError):  # the client has gone
                log.info("An answer was not taken")


def _content(text: str, is_error: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def converse(sessions: Path, lines: Iterable[str], output: TextIO) -> None:
    """Serves one client until it ends.

    Args:
        sessions: the folder of sessions.
        lines: what it says.
        output: where answers go.

    Raises:
        SessionError: the folder cannot be used.
    """
    with Owner(sessions) as owner:
        tools = Tools(Desk(owner.library), owner.see_to_it)
        Conversation(tools, output).follow(lines)
