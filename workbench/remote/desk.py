"""What programs may do with sessions: look, add facts, start actions, follow them, undo.

Everything that takes long goes into the session's queue, whose worker does it; the page shows it
like anything that was started there. Invariant: what is refused has changed nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import RecordError, SessionError, SettingsError
from workbench.facts.read import parse_facts
from workbench.methods.base import LOCFT_BF, find_method
from workbench.model.choice import ModelChoice
from workbench.remote.results import job_record, run_record
from workbench.remote.schema import OF_THIS_MACHINE, OWN, REMOTE, read_settings
from workbench.store.found import Found
from workbench.store.library import Library
from workbench.store.requests import (
    EvaluateRequest,
    ExportRequest,
    RephraseRequest,
    Request,
    ScanRequest,
    StressRequest,
    StudyRequest,
    SweepRequest,
    edit_request,
    request_of,
)
from workbench.store.store import Store
from workbench.work.records import as_data
from workbench.work.words import one_line

__all__ = ["Desk", "NotThere"]

MOST_SHOWN = 1000
OF_TICKED = ("rephrase", "scan", "sweep", "edit", "study")  # actions that need a ticked fact

Body = Mapping[str, Any]


class NotThere(SessionError):
    """A session, a job or an action that there is none of."""


class Desk:
    """Sessions, as programs use them.

    Args:
        library: the sessions.
        afar: whether whoever asks may be on another machine; then nothing of this one is used but
            the sessions.
    """

    def __init__(self, library: Library, *, afar: bool = False) -> None:
        self._library = library
        self._afar = afar

    def sessions(self) -> list[dict[str, Any]]:
        """Every session, the one opened last first."""
        return [self._session(store) for store in self._library.sessions()]

    def session(self, name: object = "") -> dict[str, Any]:
        """One session; see `store`."""
        return self._session(self.store(name))

    def store(self, name: object = "") -> Store:
        """A session by its id or its name; the one opened last where nothing is said.

        Raises:
            NotThere: there is none.
            SessionError: several have the name.
        """
        if name in (None, ""):
            return self._library.latest()
        if isinstance(name, str) and name in self._library:
            return self._library.open(name)
        found = [store for store in self._library.sessions() if store.settings.name == name]
        if len(found) > 1:
            raise SessionError(f"Several sessions are called '{name}'; give the id of one.")
        if not found:
            raise NotThere(f"There is no session '{name}'.")
        return found[0]

    def create(self, name: object, model: object = None) -> dict[str, Any]:
        """A new session without facts.

        Args:
            name: how people call it.
            model: settings of the model by their names, or its name alone; None for the built-in.

        Raises:
            SettingsError: the name is none, or the model cannot be one.
        """
        if not isinstance(name, str) or not name.strip():
            raise SettingsError("name must be how people call the session.")
        wanted = {"name": model} if isinstance(model, str) else model or {}
        if not isinstance(wanted, Mapping):
            raise SettingsError("model must be a name, or an object of settings of a model.")
        choice = ModelChoice.from_dict(wanted)
        store = self._library.create(name)
        if wanted:
            store.settings.choose_model(choice)
        return self._session(store)

    def facts(self, session: object = "", search: str = "", offset: int = 0) -> dict[str, Any]:
        """Facts of a session, at most a thousand of them."""
        store, found = self.store(session), Found(search)
        rows = store.facts.page(max(0, offset), MOST_SHOWN, found)
        return {
            "session": store.id,
            "found": store.facts.overview(found).counts["all"],
            "facts": [
                {"fact": row.id, "ticked": row.enabled, "source": row.source, **as_data(row.fact)}
                for row in rows
            ],
        }

    def runs(self, session: object = "") -> dict[str, Any]:
        """The runs of a session, the newest first."""
        store = self.store(session)
        return {"session": store.id, "runs": [run_record(store, run) for run in store.runs.all()]}

    def add_facts(self, body: Body) -> dict[str, Any]:
        """Adds facts, ticked, each with the fields of a file of facts.

        Raises:
            FactsError: none of them is a fact.
        """
        _require_known("facts", body)
        given = body.get("facts")
        if not isinstance(given, list) or not given:
            raise SettingsError("facts must be a list of objects with prompt and target_new.")
        store = self.store(body.get("session"))
        content = json.dumps(given, ensure_ascii=False).encode("utf-8", "replace")
        read = parse_facts(content, "the facts")
        added = store.facts.add(read.facts, "a program")
        return {
            "session": store.id,
            "added": list(added.ids),
            "same": added.same,
            "contradictions": [
                {"prompt": one.fact.prompt, "given": one.fact.target_new, "present": one.present}
                for one in added.contradictions
            ],
            "problems": [problem.as_dict() for problem in read.problems],
        }

    def start(self, action: str, body: Body) -> dict[str, Any]:
        """Puts an action into its session's queue.

        Args:
            action: its name.
            body: see `body_schema`.

        Returns:
            The job, see `job`.

        Raises:
            NotThere: there is no such action, session or run.
            SettingsError: something in the body makes no sense.
            SessionError: the session cannot do it now.
        """
        if action not in REMOTE or action == "facts":
            raise NotThere(f"There is no action '{action}' here. There are: {', '.join(REMOTE)}.")
        _require_known(action, body)
        store = self.store(body.get("session"))
        method = str(body.get("method") or LOCFT_BF.key)
        find_method(method)
        settings: Any = read_settings(action, body.get("settings") or {}, method)
        if self._afar:
            _require_none_of_this_machine(action, settings)
        if action == "probe":
            return self._record(store, store.ask_all(_prompts(body), settings))
        if action == "edit":
            onto = _run(store, {"run": body.get("onto")})
            request: Request = edit_request(settings, method, onto, body.get("way") or "")
        elif action == "evaluate":
            request = EvaluateRequest(_run(store, body), settings)
        elif action == "stress":
            request = StressRequest(_run(store, body), settings)
        elif action == "rephrase":
            request = RephraseRequest(settings=settings)
        elif action == "export":
            request = _export(store, body, settings, self._afar)
        else:
            kinds = {"scan": ScanRequest, "sweep": SweepRequest, "study": StudyRequest}
            request = kinds[action](settings)
        if action in OF_TICKED and not store.facts.count(enabled=True):
            raise SessionError("No fact of this session is ticked. Add one first.")
        try:
            request_of(request.kind, as_data(request))
        except RecordError as error:
            raise SettingsError(str(error)) from None
        return self._record(store, store.jobs.ask_for(request))

    def job(self, session: object, job: int) -> dict[str, Any]:
        """A job: how far it is, and what came of it.

        Raises:
            NotThere: there is none.
        """
        store = self.store(session)
        try:
            return self._record(store, job)
        except SessionError as error:
            raise NotThere(str(error)) from None

    def cancel(self, session: object, job: int) -> dict[str, Any]:
        """Asks for a job's end."""
        store = self.store(session)
        store.jobs.cancel(job)
        return self.job(store.id, job)

    def undo_fact(self, session: object, fact: object) -> dict[str, Any]:
        """Unticks a fact, and starts the last run once more, without it.

        Args:
            session: which.
            fact: its number, or its prompt.

        Returns:
            The job; without one where no run has to be made: nothing was edited yet, or no fact is
            left, so that the base is shown.

        Raises:
            NotThere: there is no such fact.
            SessionError: the last run stands for other facts than the ticked ones.
        """
        store = self.store(session)
        row = _fact(store, fact)
        model = store.settings.model.name
        last = next((r for r in store.runs.all() if r.state == "done" and r.model == model), None)
        if last is not None and last.onto is not None:
            _require_ticked(store, last.id, row)
        store.facts.enable([row], False)
        if last is not None and store.facts.count(enabled=True):
            request = edit_request(last.settings, last.method)
            return {"fact": row, **self._record(store, store.jobs.ask_for(request))}
        if last is not None:
            store.settings.set("shown_run", None)
        return {"fact": row, "session": store.id, "job": None, "state": "done"}

    def _record(self, store: Store, job: int) -> dict[str, Any]:
        return job_record(store, store.jobs.get(job))

    def _session(self, store: Store) -> dict[str, Any]:
        return {
            "session": store.id,
            "name": store.settings.name,
            "model": store.settings.model.name,
            "facts": store.facts.count(),
            "ticked": store.facts.count(enabled=True),
            "runs": len(store.runs.all()),
            "shown_run": store.settings.shown_run,
            "jobs": [job.id for job in store.jobs.open_jobs()],
        }


def _require_known(action: str, body: Body) -> None:
    settings = () if action == "facts" else ("settings",)
    known = ("session", *OWN.get(action, {}), *settings)
    unknown = sorted(set(map(str, body)) - set(known))
    if unknown:
        raise SettingsError(
            f"{action} takes no {', '.join(unknown)}. It takes: {', '.join(known)}."
        )


def _prompts(body: Body) -> list[str]:
    given = body.get("prompts")
    if not isinstance(given, list) or not given or not all(isinstance(p, str) for p in given):
        raise SettingsError("prompts must be a list of texts.")
    return given


def _run(store: Store, body: Body) -> int | None:
    run = body.get("run", store.settings.shown_run)
    if run is None:
        return None
    if not isinstance(run, int) or isinstance(run, bool) or not 0 < run < 1 << 62:
        raise SettingsError("run must be the number of a run.")
    try:
        found = store.runs.get(run)
    except SessionError as error:
        raise NotThere(str(error)) from None
    if found.state != "done":
        raise SessionError(f"Run {run} has no patch yet. Let it finish first.")
    return run


def _require_none_of_this_machine(action: str, settings: Any) -> None:
    for name in OF_THIS_MACHINE.get(action, ()):
        if getattr(settings, name, ""):  # not every method has it
            raise SettingsError(
                f"{name} uses what is on the workbench's machine; set it there, by the command "
                f"'workbench {action}', in Python, or with 'workbench mcp'."
            )


def _export(store: Store, body: Body, settings: Any, afar: bool) -> ExportRequest:
    run, folder = _run(store, body), body.get("folder")
    if run is None:
        raise SettingsError("run must be the number of a run; none is shown.")
    if not isinstance(folder, str) or not folder.strip() or "\0" in folder:
        raise SettingsError("folder must be the path of the new folder or file.")
    if afar:
        if Path(folder).name != folder or folder.startswith("."):
            raise SettingsError(
                "folder must be a plain name: it is written beside the run's patch."
            )
        return ExportRequest(run, str(store.runs.folder(run) / folder), settings)
    # A worker that is another workbench's stands in another folder.
    try:
        out = Path(folder).expanduser().absolute()
    except RuntimeError:
        raise SettingsError(f"folder is '{one_line(folder)}'; nobody has that home.") from None
    return ExportRequest(run, str(out), settings)


def _require_ticked(store: Store, run: int, but: int) -> None:
    """A run that was added to another one may stand for facts that are not ticked any more."""
    ticked = {row.id for row in store.facts.enabled()} | {but}
    if any(one.fact not in ticked for one in store.runs.outcomes(run, 0, -1)):
        raise SessionError(
            f"Run {run} was added to an earlier one and holds facts that are not ticked, which a "
            "run of the ticked facts would lose. Tick all that should hold first."
        )


def _fact(store: Store, fact: object) -> int:
    """The row of a fact by its number or its prompt."""
    if isinstance(fact, int) and not isinstance(fact, bool) and 0 < fact < 1 << 62:
        try:
            return store.facts.get(fact).id
        except SessionError:
            raise NotThere(f"There is no fact {fact}.") from None
    if isinstance(fact, str):
        wanted = fact.strip()
        rows = store.facts.page(0, -1, Found(wanted))
        found = [row.id for row in rows if row.fact.prompt == wanted]
        if found:
            return found[0]
        raise NotThere(f"There is no fact with the prompt '{wanted}'.")
    raise SettingsError("fact must be the number of a fact, or its prompt.")
