"""What the cards of the Layers tab share: the choice, the job at work, the preset in words."""

from workbench.store import Store
from workbench.store.jobs import Job, JobKind

__all__ = ["chosen_locations", "framed_words", "open_job"]


def chosen_locations(store: Store) -> tuple[str, ...]:
    """Where the next run tunes: what was chosen, else the preset; empty while unknown."""
    chosen = store.settings.edit.at
    summary = store.settings.summary
    return chosen or (tuple(summary["preset"]["at"]) if summary else ())


def open_job(store: Store, kind: JobKind) -> Job | None:
    """The job of this kind that waits or goes on; None when there is none."""
    return next((job for job in store.jobs.open_jobs() if job.kind == kind), None)


def framed_words(store: Store, how: str) -> str:
    """What the mark in a plot stands for: the model's preset and where it comes from.

    Args:
        store: the session.
        how: how the plot marks it, such as ``Framed``.
    """
    preset = (store.settings.summary or {}).get("preset")
    if preset is None:
        return ""
    return f"{how}: {', '.join(preset['at'])} ({preset['source']}). "
