"""How imports look that go on, that failed, and that are over. Pure functions from data to HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from workbench.page.facts.row import moment
from workbench.store.imports import Import
from workbench.store.jobs import Job
from workbench.work.templates import render

__all__ = ["import_history", "import_jobs"]

SHOWN = 10


def import_jobs(jobs: Sequence[Job], troubled: Sequence[Job]) -> Markup:
    """The imports that wait or go on, each with its Cancel, and those that failed.

    Args:
        jobs: those that are open.
        troubled: those that failed and that nobody has dismissed.
    """
    return render("page/facts/going.html", jobs=jobs, troubled=troubled)


def import_history(imports: Sequence[Import]) -> Markup:
    """The imports of a session, the newest first, each to look at and to undo."""
    if not imports:
        return Markup()
    earlier = len(imports) - SHOWN
    return render("page/facts/history.html", imports=imports[:SHOWN], earlier=earlier, when=moment)
