"""The settings of a session's next run, with what is automatic filled in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workbench.methods.base import Method
from workbench.methods.locft_settings import ResolvedEditSettings
from workbench.methods.method_settings import MethodSettings
from workbench.store import Store

__all__ = ["next_settings", "resolver"]


def next_settings(store: Store, method: Method) -> MethodSettings | None:
    """The settings of the next run by a method, whole; None while the model is unknown."""
    resolve = resolver(store)
    return None if resolve is None else resolve(store.settings.of("edit", method.key))


def resolver(store: Store) -> Callable[[Any], Any] | None:
    """Fills in what is automatic for a session's model and facts; None while it is unknown."""
    summary = store.settings.summary
    if summary is None:
        return None
    facts = max(1, store.facts.count(enabled=True))
    # A session of an earlier version has a preset that does not say it.
    preset = replace(summary.preset, chat=summary.chat)
    keeping = store.facts.keeping()

    def resolve(settings: Any) -> Any:
        whole = settings.resolved(preset, facts)
        return whole.for_facts(keeping) if isinstance(whole, ResolvedEditSettings) else whole

    return resolve
