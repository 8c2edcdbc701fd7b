"""Markup in place of every text that a view is given, one after the other."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

from workbench.work.templates import render

__all__ = ["drawn", "times_shown_as_text"]

EVIL = "<img src=x onerror=alert(1)>"


def times_shown_as_text(view: Callable[..., Any], given: list[Any]) -> int:
    """How often a view shows the markup as the text that it is; fails where it becomes markup.

    Args:
        view: makes HTML.
        given: what it is given.
    """
    assert "<" in view(*given)
    shown = 0
    for wrong in poisoned(given):
        try:
            html = view(*wrong)
        except Exception:  # no page at all is as good: a number that is none is a bug
            continue
        assert "<img" not in html
        shown += "&lt;img" in html
    return shown


def drawn(template: str) -> Callable[..., str]:
    return lambda values: render(f"page/{template}.html", **values)


def poisoned(value: Any) -> Iterator[Any]:
    """Copies of a value in which one text, number or name after the other is the tag."""
    if isinstance(value, type):
        yield EVIL
    elif is_dataclass(value) or isinstance(value, SimpleNamespace):
        names = [f.name for f in fields(value)] if is_dataclass(value) else list(vars(value))
        for name in names:
            for wrong in poisoned(getattr(value, name)):
                found = copy.copy(value)
                object.__setattr__(found, name, wrong)
                yield found
    elif isinstance(value, Mapping):
        for key, kept in value.items():
            yield {EVIL if other == key else other: value[other] for other in value}
            for wrong in poisoned(kept):
                yield {**value, key: wrong}
    elif isinstance(value, list | tuple):
        for place, kept in enumerate(value):
            for wrong in poisoned(kept):
                yield type(value)([*value[:place], wrong, *value[place + 1 :]])
    else:
        yield EVIL
