"""Forms: a component for each setting of a settings class, drawn from what its fields say.

What is typed is kept in the session as soon as the field is left, and every field shows what the
session has, or, where it is empty, what will be chosen. Parsing and checking are the class's own.
Invariant: a field that the browser never drew, in a folded accordion, changes nothing.
Knows nothing about what the settings mean.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr
from gradio.components import Component

from workbench.page.kit.page import Page
from workbench.store import Store
from workbench.work.settings import Setting, SettingsRecord, settings_of

__all__ = ["Form", "add_fields", "add_form"]

MOST_BUTTONS = 3
FURTHER = "More settings"

Kept = TypeVar("Kept", bound=SettingsRecord)


@dataclass(frozen=True)
class Form(Generic[Kept]):
    """The fields of some settings, as they stand on the page.

    Args:
        kind: the settings' class.
        settings: those that have a field.
        inputs: the field of each.
    """

    kind: type[Kept]
    settings: tuple[Setting, ...]
    inputs: list[Component]

    def field(self, name: str) -> Any:
        """The field of one setting."""
        return dict(zip((found.name for found in self.settings), self.inputs, strict=True))[name]

    def read(self, values: Sequence[Any], kept: Kept) -> Kept:
        """The settings as they stand in the fields.

        Args:
            values: of the fields; None where the browser never drew one.
            kept: gives what has no field, or none that was drawn.

        Raises:
            SettingsError, LocationError: one of them makes no sense; the message names it.
        """
        given = {
            found.name: value
            for found, value in zip(self.settings, values, strict=True)
            if value is not None
        }
        entered = self.kind.from_texts(given).as_dict()
        return self.kind.from_dict(kept.as_dict() | {name: entered[name] for name in given})

    def drawn(self, settings: Kept, automatic: Kept | None = None) -> list[Any]:
        """What each field shows.

        Args:
            settings: the values.
            automatic: what is taken for an empty field; None while that is not known.
        """
        return [
            _drawn(found, getattr(settings, found.name), getattr(automatic, found.name, None))
            for found in self.settings
        ]


def add_fields(
    kind: type[Kept], leave_out: Iterable[str] = (), classes: str | None = "setting short"
) -> Form[Kept]:
    """Builds the fields inside the current column, those for few people folded away.

    Args:
        kind: the settings' class.
        leave_out: names of settings whose place is elsewhere.
        classes: how text fields look; `setting short` has them beside their sentences.
    """
    left = set(leave_out)
    shown = [found for found in settings_of(kind) if found.name not in left]
    plain = [found for found in shown if not found.advanced]
    further = [found for found in shown if found.advanced]
    inputs = [_field(found, classes) for found in plain]
    if further:
        with gr.Accordion(FURTHER, open=False, elem_classes="plain"):
            inputs += [_field(found, classes) for found in further]
    return Form(kind, (*plain, *further), inputs)


def add_form(
    page: Page,
    kind: type[Kept],
    read: Callable[[Store], Kept],
    change: Callable[[Store, Callable[[Kept], Kept]], None],
    *,
    automatic: Callable[[Store], Kept | None] = lambda store: None,
    leave_out: Iterable[str] = (),
    of: tuple[str, ...] = ("settings",),
) -> Form[Kept]:
    """Builds fields inside the current column that keep what is typed, and show what is kept.

    Args:
        page: the page.
        kind: the settings' class.
        read: the settings of a session.
        change: keeps in it what a function makes of them, while nobody else changes them.
        automatic: what a session takes for empty fields; None while that is not known.
        leave_out: names of settings whose place is elsewhere; they stay as they are kept.
        of: the tables that `read` and `automatic` depend on, as for `Page.show`.
    """
    form = add_fields(kind, leave_out)

    def draw_fields(store: Store) -> Any:
        drawn = form.drawn(read(store), automatic(store))
        return drawn if len(drawn) > 1 else drawn[0]

    page.show(draw_fields, form.inputs, of=of)
    for place, field in enumerate(form.inputs):
        page.action(_when_done(field), _keep_field(form, place, change), [field])
    return form


def _keep_field(
    form: Form[Kept], place: int, change: Callable[[Store, Callable[[Kept], Kept]], None]
) -> Callable[[Store, Any], None]:
    """Keeps one field alone: two that are left at once may come in either order."""

    def keep_field(store: Store, value: Any) -> None:
        values = [None] * len(form.inputs)
        values[place] = value
        change(store, lambda kept: form.read(values, kept))

    return keep_field


def _field(found: Setting, classes: str | None) -> Component:
    told: dict[str, Any] = {"label": found.label, "info": found.sentence}
    if found.is_flag:
        return gr.Checkbox(**told)
    if found.choices:
        choices: list[tuple[str, str]] = [(choice, choice) for choice in found.choices]
        if found.optional:
            choices.insert(0, (found.empty, ""))
        kind = gr.Radio if len(choices) <= MOST_BUTTONS else gr.Dropdown
        told |= {"choices": choices, "elem_classes": classes and "setting"}
        return kind(value=found.write(found.default), **told)
    if found.lines > 1:
        told |= {"lines": found.lines, "max_lines": 3 * found.lines}
        classes = classes and "setting"
    return gr.Textbox(placeholder=_placeholder(found, None), elem_classes=classes, **told)


def _drawn(found: Setting, value: Any, automatic: Any) -> Any:
    if found.is_flag:
        return gr.update(value=value)
    if found.choices:
        return gr.update(value=found.write(value))
    return gr.update(value=found.write(value), placeholder=_placeholder(found, automatic))


def _placeholder(found: Setting, automatic: Any) -> str:
    """What an empty field stands for: the value that will be taken, or a word for it."""
    value = found.write(automatic) or found.write(found.default)
    unit = re.sub("(?<=s)es$|s$", "", found.unit) if value == "1" else found.unit
    return f"{value} {unit}".strip() if value else found.empty


def _when_done(field: Component) -> Callable[..., Any]:
    """The event of a field that somebody has changed: a text's once it is left."""
    event: Callable[..., Any] = field.blur if isinstance(field, gr.Textbox) else field.input
    return event
