"""What the cards of the Layers tab share: the choice, the job at work, the preset in words."""

from workbench.store import Store
from workbench.store.jobs import Job, JobKind

__all__ = ["chosen_locations", "framed_words", "open_job", "preset_mark"]


def chosen_locations(store: Store) -> tuple[str, ...]:
    """Where the next run tunes: what was chosen, else the preset; empty while unknown."""
    chosen = store.settings.edit.at
    return chosen or preset_mark(store)[0]


def preset_mark(store: Store) -> tuple[tuple[str, ...], str]:
    """Where the model's preset tunes, and where that comes from; empty while it is unknown."""
    summary = store.settings.summary
    return ((), "") if summary is None else (summary.preset.at, summary.preset.source)


def open_job(store: Store, kind: JobKind) -> Job | None:
    """The job of this kind that waits or goes on; None when there is none."""
    return next((job for job in store.jobs.open_jobs() if job.kind == kind), None)


def framed_words(store: Store, how: str) -> str:
    """What the mark in a plot stands for: the model's preset and where it comes from.

    Args:
        store: the session.
        how: how the plot marks it, such as ``Framed``.
    """
    at, source = preset_mark(store)
    return f"{how}: {', '.join(at)} ({source}). " if at else ""
