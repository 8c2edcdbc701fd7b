"""What readers of nested formats share: parts that must be there, and questions from lists.

Knows no format.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.facts.problems import shorten
from workbench.facts.tables.table import shown
from workbench.facts.wrong import Wrong

__all__ = ["asked", "filled_in", "listed", "named", "string", "system_left_out"]


# What a table holds where a record lacks a part.
_NOTHING = (None, "")


def named(value: Any, part: str, name: str) -> Mapping[str, Any]:
    """An object that must be there.

    Args:
        value: what is in its place.
        part: the part of a fact that it holds.
        name: what the format calls it.

    Raises:
        Wrong: it is something else.
    """
    if isinstance(value, Mapping):
        return value
    raise Wrong(
        f"'{name}' should be an object, and is {shown(value)}.",
        "Compare it with the rows that could be read.",
        "structure",
        part,
    )


def listed(value: Any, part: str, name: str) -> list[Any]:
    """A list that may be missing; see `named`."""
    if value in _NOTHING:
        return []
    if isinstance(value, list):
        return value
    raise Wrong(
        f"'{name}' should be a list, and is {shown(value)}.",
        "Compare it with the rows that could be read.",
        "structure",
        part,
    )


def string(value: Any) -> Any:
    """The text of ``{"str": …}``, or the value itself, as some files have it."""
    return value.get("str") if isinstance(value, Mapping) else value


def filled_in(prompt: Any, subject: Any) -> Any:
    """A prompt with the subject in the place of ``{}``."""
    if isinstance(prompt, str) and isinstance(subject, str):
        return prompt.replace("{}", subject)
    return prompt


def asked(groups: Any, part: str, name: str) -> list[dict[str, Any]]:
    """The questions of all groups: ``{group: [{prompt, ground_truth}, …]}``; see `named`.

    A prompt may be a list of prompts that share their answer, and a group may be one question.
    """
    if groups in _NOTHING:
        return []
    return [
        {"prompt": prompt, "answer": entry.get("ground_truth")}
        for group in named(groups, part, name).values()
        for entry in _entries(group, part, name)
        for prompt in _prompts(entry.get("prompt"))
    ]


def _entries(group: Any, part: str, name: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(group, Mapping):
        group = [group]
    for entry in listed(group, part, name):
        yield named(entry, part, name)


def _prompts(prompt: Any) -> list[Any]:
    return prompt if isinstance(prompt, list) else [prompt]


def system_left_out(system: str) -> Wrong:
    """The word about what the system of a chat is told."""
    return Wrong(
        f"What the system is told is no part of the fact: '{shorten(system)}'.",
        "Write it into the prompt if the fact needs it.",
        "left out",
        "prompt",
    )
