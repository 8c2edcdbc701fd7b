"""The two questions of an edit as settings: what is ticked, and what a tick changes.

A tick that gives what the recipe takes by itself leaves the setting automatic, so that the command
that does the same says only what differs. Pure functions; knows nothing about the page.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from workbench.errors import SettingsError
from workbench.facts.forms import FORMS, Form, FormShare, parse_forms
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import Kept, RecipeChoice

__all__ = [
    "KEPT",
    "Resolve",
    "choose_recipe",
    "is_the_recipes",
    "only_form",
    "tick_form",
    "tick_kept",
    "ticked_forms",
    "ticked_kept",
]

Resolve = Callable[[EditSettings], EditSettings]
"""Fills in what is automatic, for a model and a number of facts."""

KEPT: tuple[Kept, ...] = get_args(Kept)


def ticked_forms(settings: EditSettings) -> dict[Form, FormShare]:
    """The forms that a run trains, with their shares; facts as they stand where none is named.

    Args:
        settings: resolved, such as those of a run.
    """
    forms = parse_forms(settings.forms) or (FormShare("raw"),)
    return {share.form: share for share in forms}


def only_form(settings: object) -> Form | None:
    """The form that a run trains where it trains just one; what it learned, it learned in that.

    Args:
        settings: resolved, of any method.
    """
    forms = list(ticked_forms(settings)) if isinstance(settings, EditSettings) else []
    return forms[0] if len(forms) == 1 else None


def ticked_kept(settings: EditSettings) -> tuple[Kept, ...]:
    """What a run keeps as it is.

    Args:
        settings: resolved, such as those of a run.
    """
    return settings.kept if settings.keep else ()


def is_the_recipes(settings: EditSettings) -> bool:
    """Whether nothing about forms and keeping was chosen but the recipe."""
    return settings == choose_recipe(settings, settings.recipe)


def choose_recipe(settings: EditSettings, recipe: RecipeChoice) -> EditSettings:
    """The settings with another recipe, and with the forms and what is kept as it takes them."""
    return replace(settings, recipe=recipe, forms=(), keep=None, spare=None, kept=())


def tick_form(settings: EditSettings, resolve: Resolve, form: Form, on: bool) -> EditSettings:
    """The settings with a form trained or left out; the others keep their shares.

    Args:
        settings: as they are.
        resolve: fills in what is automatic.
        form: which.
        on: whether it is trained from now on.

    Raises:
        SettingsError: no form would be left.
    """
    usual = ticked_forms(resolve(replace(settings, forms=())))
    now = ticked_forms(resolve(settings))
    chosen = {name: share for name, share in now.items() if name != form}
    if on:
        chosen[form] = usual.get(form, FormShare(form))
    if not chosen:
        raise SettingsError("A fact is trained in one form at least. Tick another one first.")
    forms = tuple(str(chosen[name]) for name in FORMS if name in chosen)
    return replace(settings, forms=() if chosen == usual else forms)


def tick_kept(settings: EditSettings, resolve: Resolve, kind: Kept, on: bool) -> EditSettings:
    """The settings with something kept as it is, or left to change.

    Args:
        settings: as they are.
        resolve: fills in what is automatic.
        kind: what.
        on: whether it is kept from now on.
    """
    whole, usual = resolve(settings), resolve(replace(settings, keep=None, spare=None, kept=()))
    chosen = {*ticked_kept(whole), kind} if on else {*ticked_kept(whole)} - {kind}
    if not chosen:
        none = 0.0 if usual.keep else None
        return replace(settings, keep=none, spare=0.0 if usual.spare else None, kept=())
    keep, spare = settings.keep, settings.spare
    if not whole.keep:
        # The published recipe keeps nothing, and has no weight of its own.
        other = resolve(replace(settings, recipe="holds", keep=None))
        keep, spare = None if usual.keep else other.keep, None
    kept = tuple(name for name in KEPT if name in chosen)
    return replace(
        settings, keep=keep, spare=spare, kept=() if kept == ticked_kept(usual) else kept
    )
