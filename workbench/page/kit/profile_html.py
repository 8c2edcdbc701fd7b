"""What the cards of the Layers tab share: the choice, how far a job is, links to files."""

from workbench.page.kit.html import button, text
from workbench.store import Store
from workbench.store.jobs import JobKind

__all__ = ["chosen_locations", "downloads", "framed_words", "job_bar", "preset_mark"]


def chosen_locations(store: Store) -> tuple[str, ...]:
    """Where the next run tunes: what was chosen, else the preset; empty while unknown."""
    chosen = store.settings.edit.at
    return chosen or preset_mark(store)[0]


def preset_mark(store: Store) -> tuple[tuple[str, ...], str]:
    """Where the model's preset tunes, and where that comes from; empty while it is unknown."""
    summary = store.settings.summary
    return ((), "") if summary is None else (summary.preset.at, summary.preset.source)


def job_bar(store: Store, kind: JobKind) -> str:
    """The progress of a job of this kind with its Cancel, or why the last one failed."""
    for job in store.jobs.open_jobs():
        if job.kind != kind:
            continue
        if job.state == "queued":
            line, width = "waiting for its turn", ' style="width:0"'
        else:
            line = "stopping" if job.cancel_asked else job.line
            width = "" if job.progress is None else f' style="width:{100 * job.progress:.1f}%"'
        return (
            f'<div><div class="bar{"" if width else " unknown"}"><i{width}></i></div>'
            f'<div class="foot"><span class="mono quiet">{text(line)}</span>'
            f"{button('Cancel', 'cancel', 'small', job=job.id)}</div></div>"
        )
    return ""


def framed_words(store: Store, how: str) -> str:
    """What the mark in a plot stands for: the model's preset and where it comes from.

    Args:
        store: the session.
        how: how the plot marks it, such as ``Framed``.
    """
    at, source = preset_mark(store)
    return f"{how}: {text(', '.join(at))} ({text(source)}). " if at else ""


def downloads(store: Store, what: str) -> str:
    """Links to a plot's numbers, and to the plot as a picture and as a page of its own.

    Args:
        store: the session.
        what: ``scan``, or ``sweep-3``.
    """
    links = "".join(
        f'<a href="profiles/{store.id}/{what}.{ending}" download>{ending.upper()}</a>'
        for ending in ("csv", "html")
    )
    plot = f"{what.partition('-')[0]}-plot"
    picture = f'<a href="#" role="button" data-picture-of="{plot}">PNG</a>'
    return f'<span class="links quiet">{picture}{links}</span>'
