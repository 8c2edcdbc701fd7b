"""The tools of agents: what each takes, and what it does at the desk.

An action is a tool of its own name. A tool that starts work waits for its end, and hands back the
job where that takes longer; ``job`` waits on.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.errors import SettingsError
from workbench.remote.desk import Desk
from workbench.remote.openapi import action_sentence
from workbench.remote.schema import REMOTE, body_schema
from workbench.work.settings import is_number, is_whole
from workbench.work.stop import Stop

__all__ = ["OnProgress", "Tools"]

OnProgress = Callable[[float, str], object]
"""Told how far work is: a share from 0 to 1, and one line."""

LOOK_EVERY = 0.1  # seconds between two looks at a job
WAITS = 45.0  # seconds, below the minute after which many clients give up
LONGEST_WAIT = 600.0

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_WAIT: Schema = {
    "type": "number",
    "description": f"Most seconds to wait for the end, {WAITS:g} without it; 'job' waits on.",
}
_IN_SESSION: Schema = body_schema("scan", briefly=True)["properties"]["session"]

_MORE_TOLD = {
    "facts": "What they say is learned by the next 'edit'.",
    "sweep": "Says where the facts are best edited; give its recommendation to 'edit' as at.",
}


class Tools:
    """Everything that an agent may call.

    Args:
        desk: does it.
        see_to_it: makes sure that somebody works on the queue.
    """

    def __init__(self, desk: Desk, see_to_it: Callable[[], object] = lambda: None) -> None:
        self._desk, self._see_to_it = desk, see_to_it
        self._looks: dict[str, tuple[str, Schema, Callable[[Mapping[str, Any]], Any]]] = {
            "list_sessions": ("List the sessions.", {}, lambda _: {"sessions": desk.sessions()}),
            "create_session": (
                "Make a session without facts, of the built-in model or another one.",
                {"name": _TEXT, "model": _TEXT},
                lambda given: desk.create(given.get("name"), given.get("model")),
            ),
            "list_facts": (
                "List the facts of a session.",
                {"session": _IN_SESSION, "search": _TEXT},
                lambda given: desk.facts(given.get("session"), _text(given, "search")),
            ),
            "list_runs": (
                "List the runs of a session, with what is known of each.",
                {"session": _IN_SESSION},
                lambda given: desk.runs(given.get("session")),
            ),
            "add_facts": (
                f"{action_sentence('facts')} {_MORE_TOLD['facts']}",
                body_schema("facts")["properties"],
                desk.add_facts,
            ),
            "cancel_job": (
                "Ask for a job's end.",
                {"session": _IN_SESSION, "job": {"type": "integer"}},
                lambda given: desk.cancel(given.get("session"), _number(given, "job")),
            ),
        }
        self._needed = {
            "create_session": ["name"],
            "add_facts": ["facts"],
            "cancel_job": ["job"],
            "job": ["job"],
            "undo_fact": ["fact"],
        }

    def listed(self) -> list[Schema]:
        """All tools, as the protocol lists them."""
        found = [self._tool(name, told, takes) for name, (told, takes, _) in self._looks.items()]
        for action in REMOTE[1:]:
            schema = body_schema(action, briefly=True)
            schema["properties"]["wait"] = _WAIT
            told = f"{action_sentence(action)} {_MORE_TOLD.get(action, '')}".strip()
            found.append({"name": action, "description": told, "inputSchema": schema})
        found.append(
            self._tool(
                "undo_fact",
                "Untick a fact, and start the last run once more, without it.",
                {
                    "session": _IN_SESSION,
                    "fact": {
                        "type": ["integer", "string"],
                        "description": "Its number, or its prompt.",
                    },
                    "wait": _WAIT,
                },
            )
        )
        found.append(
            self._tool(
                "job",
                "Wait for a job's end, and tell what came of it.",
                {"session": _IN_SESSION, "job": {"type": "integer"}, "wait": _WAIT},
            )
        )
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._looks or name in (*REMOTE[1:], "undo_fact", "job")

    def call(
        self,
        name: str,
        given: Mapping[str, Any],
        stop: Stop,
        on_progress: OnProgress,
        closing: Stop,
    ) -> dict[str, Any]:
        """Does what a tool does.

        Args:
            name: of a tool.
            given: its arguments.
            stop: the wish to end it; work that it started is cancelled.
            on_progress: told how far work is.
            closing: the wish to wait no longer, which cancels nothing.

        Raises:
            WorkbenchError: it cannot be done.
        """
        self._see_to_it()
        if name in self._looks:
            _, takes, do = self._looks[name]
            _require_known(name, given, takes)
            found: dict[str, Any] = do(given)
            return found
        patience = _patience(given)
        rest = {key: value for key, value in given.items() if key != "wait"}
        if name == "job":
            _require_known(name, rest, ("session", "job"))
            begun = self._desk.job(rest.get("session"), _number(rest, "job"))
            return self._waited(begun, patience, stop, on_progress, closing, cancels=False)
        if name == "undo_fact":
            _require_known(name, rest, ("session", "fact"))
            begun = self._desk.undo_fact(rest.get("session"), rest.get("fact"))
        else:
            begun = self._desk.start(name, rest)
        return self._waited(begun, patience, stop, on_progress, closing, cancels=True)

    def _waited(
        self,
        begun: dict[str, Any],
        patience: float,
        stop: Stop,
        on_progress: OnProgress,
        closing: Stop,
        *,
        cancels: bool,
    ) -> dict[str, Any]:
        """A job at its end, or as it is when patience is over."""
        if begun["job"] is None:
            return begun
        session, job = begun["session"], begun["job"]
        until, told = time.monotonic() + patience, ""
        now = begun
        while now["state"] in ("queued", "running") and time.monotonic() < until:
            if stop.asked:
                return self._desk.cancel(session, job) if cancels else now
            if closing.asked:
                break
            self._see_to_it()
            time.sleep(LOOK_EVERY)
            now = self._desk.job(session, job)
            if now["line"] and now["line"] != told:
                told = now["line"]
                on_progress(float(now["progress"] or 0.0), told)
        return begun | now

    def _tool(self, name: str, told: str, takes: Schema) -> Schema:
        schema: Schema = {"type": "object", "properties": takes}
        schema |= {"required": self._needed.get(name, []), "additionalProperties": False}
        return {"name": name, "description": told, "inputSchema": schema}


def _require_known(name: str, given: Mapping[str, Any], takes: Any) -> None:
    unknown = sorted(set(given) - set(takes))
    if unknown:
        raise SettingsError(
            f"{name} takes no {', '.join(unknown)}. It takes: {', '.join(takes) or 'nothing'}."
        )


def _patience(given: Mapping[str, Any]) -> float:
    wait = given.get("wait", WAITS)
    if not is_number(wait) or not 0 <= wait <= LONGEST_WAIT:
        raise SettingsError(f"wait must be seconds from 0 to {LONGEST_WAIT:g}.")
    return float(wait)


def _number(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not is_whole(value, 0) or value >= 1 << 62:  # type: ignore[operator]
        raise SettingsError(f"{name} must be a number.")
    return int(value)  # type: ignore[arg-type]


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise SettingsError(f"{name} must be a text.")
    return value
