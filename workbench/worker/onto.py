"""Runs that add the ticked facts to the edit of an earlier run of the session.

The facts of such a run are those of the earlier one that still hold, then the new ones. Imports the
engine, so only the worker's process may import this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import FactsError, SessionError
from workbench.facts.fact import Fact
from workbench.methods.base import find_method
from workbench.methods.onto import Onto, Way, told_apart, usual_way
from workbench.model.patch import Patch
from workbench.store.fact_rows import FactRow
from workbench.store.requests import EditRequest
from workbench.store.run_rows import Run, RunOnto
from workbench.store.store import Store
from workbench.worker.kept_facts import kept_facts
from workbench.worker.patches import Patches

__all__ = ["Basis", "basis_again", "basis_of"]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run starts from.

    Args:
        rows: all facts that it stands for.
        facts: those that the method is given to add.
        onto: the earlier edit; None for none.
        record: what is kept of that.
    """

    rows: list[FactRow]
    facts: list[Fact]
    onto: Onto | None = None
    record: RunOnto | None = None


def basis_of(
    store: Store, model: str, patches: Patches, request: EditRequest, ticked: Sequence[FactRow]
) -> Basis:
    """What a run that is asked for starts from.

    Args:
        store: the session.
        model: name of the base.
        patches: of its runs.
        request: what is asked for.
        ticked: the facts that are ticked.

    Raises:
        SessionError: the earlier run is not there, not done, or edits another model.
        FactsError: every ticked fact is in it already.
    """
    if request.onto is None:
        return Basis(list(ticked), [row.fact for row in ticked])
    if store.runs.get(request.onto).model != model:
        raise SessionError(
            f"Run {request.onto} edits another model. Choose another run to start from."
        )
    patch, earlier = patches.of(store, request.onto), kept_facts(store, request.onto)
    stay, new = told_apart([row.fact for row in earlier], [row.fact for row in ticked])
    if not new:
        raise FactsError(
            f"Every ticked fact is in run {request.onto} already. Tick or change another one."
        )
    added = [ticked[n] for n in new]
    changed = {row.id for row in added}
    kept = [earlier[n] for n in stay if earlier[n].id not in changed]
    way = request.way or usual_way(find_method(request.method))
    return Basis(
        [*kept, *added],
        [row.fact for row in added],
        _onto(patch, earlier, kept, way),
        RunOnto(request.onto, way, len(added)),
    )


def basis_again(store: Store, patches: Patches, run: Run) -> Basis:
    """What a run that ended early started from.

    Args:
        store: the session.
        patches: of its runs.
        run: the one that goes on.

    Raises:
        SessionError: its facts, or the run that it started from, are not there any more.
    """
    rows, record = kept_facts(store, run.id), run.onto
    facts = [row.fact for row in rows]
    if record is None:
        return Basis(rows, facts)
    first = len(facts) - record.new
    patch, earlier = patches.of(store, record.run), kept_facts(store, record.run)
    onto = _onto(patch, earlier, rows[:first], record.way)
    return Basis(rows, facts[first:], onto, record)


def _onto(patch: Patch, earlier: Sequence[FactRow], kept: Sequence[FactRow], way: Way) -> Onto:
    """An edit of which some facts still hold."""
    still = {row.id for row in kept}
    replaced = tuple(row.fact for row in earlier if row.id not in still)
    return Onto(patch, tuple(row.fact for row in kept), way, replaced=replaced)
