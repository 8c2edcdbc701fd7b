"""A session: one folder with one database, and the files of its runs beside it.

Invariant: the folder's name is ours and never changes; the name that people see is a setting.
Every process opens its own `Store` on the folder.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from workbench.errors import SessionError, WorkbenchError
from workbench.facts import Question
from workbench.measure.probe_settings import ProbeSettings
from workbench.methods.estimate_record import RunEstimate
from workbench.store.database import Database, to_json
from workbench.store.evaluations import EvaluationTable
from workbench.store.fact_lengths import LengthTable
from workbench.store.fact_versions import VersionTable
from workbench.store.facts import FactTable
from workbench.store.imports import ImportTable
from workbench.store.jobs import Job, Queue
from workbench.store.probes import ProbeTable, Role
from workbench.store.profiles import ProfileTable
from workbench.store.rephrasings import Rephrasings
from workbench.store.requests import (
    AskRequest,
    FirstBatchRequest,
    LoadRequest,
    LookRequest,
    ResumeRequest,
    RippleRequest,
    TalkRequest,
)
from workbench.store.runs import RunTable
from workbench.store.settings import Settings
from workbench.store.studies import StudyTable
from workbench.store.talks import TalkTable
from workbench.store.uploads import UploadTable
from workbench.work.records import as_data, from_data

__all__ = ["DATABASE_NAME", "Store"]

DATABASE_NAME = "session.db"


class Store:
    """Everything that a session keeps.

    Args:
        folder: the session's folder, which exists.
        closed: why nothing may be changed, for people; empty when it may.

    Raises:
        SessionError: a newer workbench made it.
    """

    def __init__(self, folder: Path, closed: str = "") -> None:
        self.folder = folder
        self._database = Database(folder / DATABASE_NAME, closed)
        self.settings = Settings(self._database)
        self.facts = FactTable(self._database)
        self.versions = VersionTable(self._database, self.facts)
        self.lengths = LengthTable(self._database)
        self.rephrasings = Rephrasings(self._database, self.settings, self.facts)
        self.imports = ImportTable(self._database)
        self.uploads = UploadTable(self._database)
        self.jobs = Queue(self._database)
        self.runs = RunTable(self._database, folder / "runs")
        self.probes = ProbeTable(self._database)
        self.talks = TalkTable(self._database)
        self.profiles = ProfileTable(self._database)
        self.evaluations = EvaluationTable(self._database)
        self.studies = StudyTable(self._database)

    @property
    def id(self) -> str:
        """The name of the folder, by which the page refers to the session."""
        return self.folder.name

    def close(self) -> None:
        """Closes this thread's connection; the next use opens another."""
        self._database.close()

    def ask(self, prompt: str, chat: bool = False) -> int:
        """Puts a prompt in the queue, to be answered before and after; returns the probe's id.

        Raises:
            SessionError: the prompt is empty.
        """
        with self._database.transaction():
            probe = self.probes.add(prompt, chat)
            self._submit_probes([probe])
        return probe

    def ask_about(self, fact: int) -> list[int]:
        """Puts a fact's prompt, rephrases, locality and portability prompts in the queue.

        Returns:
            The probes' ids.

        Raises:
            SessionError: the fact is gone.
        """
        asked = self.facts.get(fact).fact
        questions: list[tuple[str, Role]] = [(asked.prompt, "prompt")]
        questions += [(prompt, "rephrase") for prompt in asked.rephrase_prompts]
        questions += [(question.prompt, "locality") for question in asked.locality_prompts]
        questions += [(question.prompt, "portability") for question in asked.portability_prompts]
        self.settings.set("probe_view", "prompts")
        with self._database.transaction():
            probes = [self.probes.add(prompt, fact=fact, role=role) for prompt, role in questions]
            self._submit_probes(probes)
        return probes

    def ask_again(self, probes: list[int]) -> None:
        """Puts probes in the queue once more, to be answered by what is before and after now."""
        with self._database.transaction():
            self._submit_probes(probes)

    def ask_all(self, prompts: Sequence[str], settings: ProbeSettings) -> int:
        """Puts prompts in the queue, all answered alike; returns the job's id.

        Raises:
            SessionError: a prompt is empty.
        """
        with self._database.transaction():
            probes = [self.probes.add(prompt, settings.chat) for prompt in prompts]
            return self._submit_probes(probes, settings)

    def say(self, talk: int, said: str) -> None:
        """Says something in a conversation, and lets its sides answer.

        Raises:
            SessionError: it is nothing.
        """
        with self._database.transaction():
            self.talks.say(talk, said)
            self._submit_talk(talk)

    def answer_talk(self, talk: int) -> None:
        """Lets every side of a conversation give the answers that it has not given yet."""
        with self._database.transaction():
            self._submit_talk(talk)

    def look_inside(self, asked: LookRequest) -> None:
        """Lets the worker look inside the model at a prompt; the newest such look is shown."""
        self.settings.set("look_job", self.jobs.ask_for(asked))
        self.settings.set("probe_view", "inside")

    def look_at(self, fact: int) -> None:
        """Looks inside the model at a fact.

        Raises:
            SessionError: the fact is gone.
        """
        found = self.facts.get(fact).fact
        self.look_inside(LookRequest(found.prompt, found.target_new, found.ground_truth))
        self.settings.set("look_form", "raw")

    def show_first_batch(self) -> None:
        """Lets the worker tell what the first step of the next run is trained on."""
        method = self.settings.method.key
        asked = FirstBatchRequest(self.settings.of("edit", method).as_dict(), method)
        self.settings.set("batch_job", self.jobs.ask_for(asked))
        self.settings.set("probe_view", "inside")

    def ripple(self, run: int) -> None:
        """Lets the worker look at what a run changed besides its facts."""
        jobs = self.settings.get("ripple_jobs", {})
        job = self.jobs.ask_for(RippleRequest(run))
        self.settings.set("ripple_jobs", {**jobs, str(run): job})

    def keep_answer(self, prompt: str, answer: str) -> str:
        """Adds a prompt with its answer to what the ticked facts hold; returns the fact's prompt.

        It goes to the ticked fact that stands last; a run holds what all of its facts bring.

        Raises:
            SessionError: no fact is ticked, or it is what a ticked fact teaches.
        """
        rows = self.facts.enabled()
        if not rows:
            raise SessionError("What must stay is kept beside a fact. Tick one on Facts first.")
        kept = Question(prompt, answer)
        last = rows[-1]
        self.facts.amend(
            last.id,
            lambda fact: replace(
                fact,
                keep_prompts=(*(q for q in fact.keep_prompts if q.prompt != kept.prompt), kept),
            ),
        )
        return last.fact.prompt

    def _submit_talk(self, talk: int) -> None:
        request = TalkRequest(talk, self.settings.of("probe"))
        self.talks.set_job(talk, self.jobs.ask_for(request))

    def _submit_probes(self, probes: list[int], settings: ProbeSettings | None = None) -> int:
        request = AskRequest(tuple(probes), settings or self.settings.of("probe"))
        job = self.jobs.ask_for(request)
        self.probes.set_job(probes, job)
        return job

    def resume(self, run: int) -> int:
        """Lets a stopped or interrupted run go on; returns the job's id.

        Raises:
            SessionError: it is not such a run.
        """
        found = self.runs.get(run)
        if not found.can_resume:
            raise SessionError(f"Run {run} is {found.state}; there is nothing to resume.")
        return self.jobs.ask_for(ResumeRequest(run))

    def keep_run(self, run: int) -> int:
        """Ends a run where it is, with a patch of what it came to; returns the job's id.

        Raises:
            SessionError: it is over, or gave up with an error.
        """
        found = self.runs.get(run)
        if found.state == "running":
            self.jobs.cancel(found.job)
        elif not found.can_resume:
            raise SessionError(f"Run {run} is {found.state}; there is nothing more to keep.")
        return self.jobs.ask_for(ResumeRequest(run, keep=True))

    def delete_run(self, run: int) -> None:
        """Hides a run; where it was shown as "before" or "after", the base is shown.

        Conversations go on without it.

        `RunTable.unhide` brings it back, until another one is deleted.

        Raises:
            SessionError: it is running.
        """
        self.runs.hide(run)
        if self.settings.shown_run == run:
            self.settings.set("shown_run", None)
        if self.settings.before_run == run:
            self.settings.set("before_run", None)
        self.talks.let_go(run)

    def abandon_jobs(self, error: str, everywhere: bool = False) -> list[Job]:
        """Ends what runs here because the worker is gone; see `Queue.abandon`."""
        ended = self.jobs.abandon(error, everywhere)
        for job in ended:
            state: Literal["stopped", "interrupted"] = (
                "stopped" if job.state == "cancelled" else "interrupted"
            )
            self.runs.end_by_job(job.id, state)
            self.profiles.end_by_job(job.id, state)
            self.studies.end_by_job(job.id, state)
        return ended

    def estimate_key(self) -> str | None:
        """What an estimate of the next run depends on; None while there is nothing to estimate."""
        count = self.facts.count(enabled=True)
        if not count or self.settings.summary is None:
            return None
        method = self.settings.method.key
        how = self.settings.of("edit", method).as_dict()
        return to_json([count, self.settings.model.as_dict(), method, how])

    def estimate(self) -> RunEstimate | None:
        """The estimate of just the next run; None while there is none that can be read."""
        about = self.estimate_key()
        try:
            found = from_data(RunEstimate, self.settings.get("estimate"))
        except WorkbenchError:
            return None
        return found if found.about == about else None

    def keep_estimate(self, estimate: RunEstimate) -> None:
        """Keeps the estimate of a run."""
        self.settings.set("estimate", as_data(estimate))

    def touch(self) -> None:
        """Notes that somebody opened this session now."""
        self.settings.set("opened", time.time())

    def enter(self) -> None:
        """Opens this session for work: it is the newest now, and its model is loaded if need be.

        The model of an imported session waits until a person confirms it.
        """
        self.touch()
        if not self.settings.get("facts_judged"):
            self.facts.judge_all()
            self.settings.set("facts_judged", True)
        loading = any(job.kind == "load" for job in self.jobs.open_jobs())
        if self.settings.summary is None and not loading and self.settings.model_is_confirmed:
            self.jobs.ask_for(LoadRequest())

    def version(self, *tables: str) -> str:
        """A short text that differs after any change of these tables.

        Args:
            tables: of ``facts``, ``imports``, ``jobs`` (their states, not their progress),
                ``probes``, ``talks``, ``profiles``, ``evaluations``, ``studies``, ``runs`` and
                ``settings``.
        """
        counts = {row["name"]: row["count"] for row in self._database.rows("SELECT * FROM changes")}
        return " ".join(f"{table} {counts[table]}" for table in tables)

    def state(self) -> str:
        """A short text that differs after any change here, of a job's progress too."""
        counts = [tuple(row) for row in self._database.rows("SELECT * FROM changes ORDER BY name")]
        return f"{counts} {self.progress_version()}"

    def progress_version(self) -> str:
        """A short text that differs after any progress of the jobs here."""
        jobs = [(job.id, job.state, job.progress, job.line) for job in self.jobs.open_jobs()]
        newest = self._database.number("SELECT max(id) FROM events")
        return f"{jobs} {newest}"
