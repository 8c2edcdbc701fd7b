"""Chats of one question and one answer: OpenAI's messages and ShareGPT's conversations.

What the system is told is no part of a fact and is left out with a word. A chat of several
turns is left out, because a later question means nothing without what was said before.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.facts.columns import find_columns
from workbench.facts.formats.nested import listed, named, system_left_out
from workbench.facts.layout import Cells, Format, Layout, Parts
from workbench.facts.problems import shorten
from workbench.facts.wrong import Wrong

__all__ = ["OPENAI", "SHAREGPT"]

_ROLES = {
    "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
    "chatgpt": "assistant", "model": "assistant", "bing": "assistant", "bard": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip


def _chat_format(name: str, columns: tuple[str, ...]) -> Format:
    """A format whose rows hold a chat in one of some columns."""

    def fits(_: AbstractSet[str], sample: Cells) -> bool:
        return any(_is_chat(sample.get(column)) for column in columns)

    def layout(names: AbstractSet[str]) -> Layout:
        column = next((column for column in columns if column in names), columns[0])
        more = find_columns(sorted(names - {column, "system"}))
        found = {**more, "prompt": column, "target_new": column}
        used = frozenset({*found.values(), "system"})
        return Layout(name, True, found, _splitter(column, more), used)

    return Format(name, fits, layout)


def _is_chat(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], Mapping)
        and ({"role", "content"} <= value[0].keys() or {"from", "value"} <= value[0].keys())
    )


def _splitter(column: str, more: Mapping[str, str]) -> Callable[[Cells], tuple[Parts]]:
    def split(cells: Cells) -> tuple[Parts]:
        parts = {part: cells.get(name) for part, name in more.items()}
        asked, answered, told = _turn(listed(cells.get(column), "prompt", column), column)
        system = told or cells.get("system")
        notes = [system_left_out(system)] if system and isinstance(system, str) else []
        return ({**parts, "prompt": asked, "target_new": answered, "notes": notes},)

    return split


def _turn(messages: list[Any], column: str) -> tuple[Any, Any, Any]:
    """The question, the answer, and what the system is told.

    Raises:
        Wrong: there is not one question with its answer.
    """
    said: dict[str, list[Any]] = {"user": [], "assistant": [], "system": []}
    order = []
    for raw in messages:
        message = named(raw, "prompt", column)
        role = _ROLES.get(str(message.get("role", message.get("from"))).lower())
        if role is None:
            what = f"Somebody else speaks in '{column}': {shorten(str(dict(message)), 60)}."
            raise Wrong(what, "Keep one question and its answer.", "structure", "prompt")
        said[role].append(_content(message.get("content", message.get("value"))))
        order += [role] if role != "system" else []
    if order != ["user", "assistant"]:
        what = f"The chat in '{column}' is not one question and one answer, but: "
        turns = ", ".join(order[:8]) or "nothing"
        mend = "Write a row for each question that can be understood by itself."
        raise Wrong(f"{what}{turns}{', …' if len(order) > 8 else ''}.", mend, "structure", "prompt")
    system = next((text for text in said["system"] if text), None)
    return said["user"][0], said["assistant"][0], system


def _content(content: Any) -> Any:
    """The text of a message, which may be written as a list of parts."""
    if not isinstance(content, list):
        return content
    texts = []
    for part in content:
        if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
            what = "A message holds something that is no text."
            raise Wrong(what, "Keep texts only.", "not text", "prompt")
        texts.append(part["text"])
    return "\n".join(texts)


OPENAI = _chat_format("chat messages (OpenAI)", ("messages",))
SHAREGPT = _chat_format("conversations (ShareGPT)", ("conversations", "conversation"))
