"""What the controls of the Runs tab do to the session."""

from workbench.errors import SessionError
from workbench.store import Store
from workbench.store.requests import EvaluateRequest, edit_request
from workbench.store.runs import Run

__all__ = ["PICKED", "act_on_runs"]

PICKED = "compared_runs"  # the setting that holds the runs ticked for comparing
MOST_PICKED = 6  # as many as there are colours


def act_on_runs(store: Store, do: str, run: int, value: object = False) -> bool:
    """Does what a control asks for.

    Args:
        store: the session.
        do: what.
        run: with which run; 0 where it is none.
        value: whether its box was ticked on, or what was typed.

    Returns:
        Whether the Edit tab is where to go on.

    Raises:
        SessionError: it cannot be done; nothing was changed.
    """
    if do == "pick":
        _pick(store, run, bool(value))
    elif do == "name":
        store.settings.name_run(run, str(value))
    elif do == "pin":
        store.settings.pin_run(run, bool(value))
    elif do == "colour":
        store.settings.colour_run(run, int(str(value)))
    elif do == "after":
        store.settings.set("shown_run", run)
    elif do == "before":
        store.settings.set("before_run", run)
    elif do == "base-before":
        store.settings.set("before_run", None)
    elif do == "evaluate":
        store.jobs.ask_for(EvaluateRequest(run))
    elif do == "delete":
        store.delete_run(run)
    elif do == "undo":
        store.runs.unhide()
    elif do == "remove":
        store.runs.remove_hidden()
    else:
        _edit(store, do, run)
        return True
    return False


def _pick(store: Store, run: int, value: bool) -> None:
    """Ticks a run for comparing; of too many, the one ticked first is let go."""
    others = [other for other in store.settings.get(PICKED, []) if other != run]
    there = {known.id for known in store.runs.all()}
    picked = [other for other in others if other in there] + ([run] if value else [])
    store.settings.set(PICKED, picked[-MOST_PICKED:])


def _edit(store: Store, do: str, run: int) -> None:
    """Does what goes on at the Edit tab."""
    if do == "resume":
        store.resume(run)
    elif do == "keep":
        store.keep_run(run)
    elif do == "again":
        found = _fitting(store, store.runs.get(run))
        if not store.facts.count(enabled=True):
            raise SessionError("No fact is ticked. Tick at least one on the Facts tab.")
        store.jobs.ask_for(edit_request(found.settings, found.method))
    elif do == "use":
        found = _fitting(store, store.runs.get(run))
        store.settings.choose_method(found.method)
        store.settings.keep("edit", found.settings, found.method)


def _fitting(store: Store, run: Run) -> Run:
    """The run, when it is one of the session's model.

    Raises:
        SessionError: it edits another model, to which its settings may not fit.
    """
    model = store.settings.model.name
    if run.model != model:
        raise SessionError(
            f"Run {run.id} edits {run.model}, but the session's model is {model} now. Choose that "
            "model again to use the run's settings."
        )
    return run
