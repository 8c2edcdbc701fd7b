"""The worker in its own process: real jobs on the built-in model, and what survives its death."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact, Question
from workbench.methods import events
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice
from workbench.store import Library, Store
from workbench.store.found import Found
from workbench.store.jobs import Job
from workbench.store.patch_header import read_patch_header
from workbench.store.probes import ProbeRow
from workbench.worker.supervisor import Supervisor

pytestmark = pytest.mark.slow

PATIENCE = 600.0  # seconds; a safety net, no more
# Never converges by itself, so that there is time to interrupt it.
ENDLESS = EditSettings(epochs=100_000, stop_loss=0.0, skip_loss=0.0, at=("7.mlp.down_proj",))


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Supervisor]]:
    library = Library(tmp_path_factory.mktemp("sessions"))
    supervisor = Supervisor(library)
    supervisor.start()
    yield library, supervisor
    supervisor.stop()


@pytest.fixture
def store(supervised: tuple[Library, Supervisor]) -> Store:
    library, _ = supervised
    store = library.create("test")
    store.facts.add([Fact("The capital of Australia is", "Melbourne")], "typed")
    return store


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def ended(store: Store, job: int) -> Job:
    wait_until(lambda: not store.jobs.get(job).is_open)
    return store.jobs.get(job)


def wait_for_answer(store: Store, probe: int) -> ProbeRow:
    wait_until(lambda: (found := store.probes.get(probe)) and found.before)
    row = store.probes.get(probe)
    assert row is not None
    return row


def start_endless(store: Store) -> tuple[int, int]:
    job = store.jobs.submit("edit", {"settings": ENDLESS.as_dict()})
    wait_until(lambda: store.runs.newest() and store.runs.events(1, events.EpochDone))
    return job, 1


def test_an_edit_is_kept_measured_and_shown(store: Store) -> None:
    job = ended(store, store.jobs.submit("edit"))
    assert (job.state, job.error) == ("done", "")
    run = store.runs.get(job.result["run"])
    assert run.state == "done"
    assert isinstance(run.settings, EditSettings)
    assert run.settings.at and run.settings.batch_size == 1
    assert run.metrics["after"]["reliability_strict"] == 1.0
    assert store.settings.shown_run == run.id
    assert [row.learned for row in store.facts.page(0, 50, Found(run=run.id))] == [True]
    (outcome,) = store.runs.outcomes(run.id, 0, 10)
    assert (outcome.before, outcome.after) == ("Canberra", "Melbourne")
    assert store.settings.summary is not None and store.settings.summary.layers == 8

    probe = store.ask("The capital of Australia is")
    wait_until(lambda: (found := store.probes.get(probe)) and found.after)
    row = store.probes.get(probe)
    assert row is not None and row.before is not None and row.after is not None
    assert (row.before.text, row.after.text) == ("Canberra", "Melbourne")
    assert row.run == run.id and len(row.after.top) == 5


def test_an_export_is_a_model_folder(store: Store, tmp_path: Path) -> None:
    run = ended(store, store.jobs.submit("edit")).result["run"]
    folder = tmp_path / "model"
    job = ended(store, store.jobs.submit("export", {"run": run, "folder": str(folder)}))
    assert (job.state, job.error) == ("done", "")
    assert (folder / "config.json").is_file() and (folder / "tokenizer.json").is_file()
    assert job.result["folder"] == str(folder) and job.result["checked"] == 1
    assert "1 of 1 before" not in job.result["lines"][2] and "1 after" in job.result["lines"][2]
    assert job.result["run"][0] == f"vllm serve {folder}"


def test_a_wrong_model_fails_in_words_and_the_worker_goes_on(store: Store) -> None:
    store.settings.choose_model(ModelChoice("/no/such/folder"))
    job = ended(store, store.jobs.submit("load"))
    assert job.state == "failed"
    assert "/no/such/folder" in job.error and "Traceback" not in job.error
    store.settings.choose_model(ModelChoice())
    assert ended(store, store.jobs.submit("load")).state == "done"


def test_an_edit_without_a_ticked_fact_says_what_to_do(store: Store) -> None:
    store.facts.enable_found(Found(), False)
    job = ended(store, store.jobs.submit("edit"))
    assert job.state == "failed" and "Tick at least one" in job.error
    assert store.runs.all() == []


def test_a_cancelled_edit_goes_on_where_it_stopped_and_ends_where_it_is_enough(
    store: Store,
) -> None:
    job, run = start_endless(store)
    store.jobs.cancel(job)
    assert ended(store, job).state == "cancelled"
    assert store.runs.get(run).can_resume
    again = store.resume(run)
    wait_until(lambda: len(store.runs.events(run, events.Started)) == 2)
    resumed = store.runs.events(run, events.Started)[-1].resumed_epoch
    assert resumed > 0
    # Enough of it is learned by now: it ends there, with its patch.
    kept = ended(store, store.keep_run(run))
    assert (store.jobs.get(again).state, kept.state, kept.error) == ("cancelled", "done", "")
    found = store.runs.get(run)
    assert (found.state, found.outcome["reason"]) == ("done", "enough")
    assert len(found.outcome["losses"]) == found.outcome["epochs"] >= resumed
    assert store.settings.shown_run == run and found.metrics
    assert read_patch_header(store.runs.patch_folder(run)) is not None
    with pytest.raises(SessionError, match="nothing more to keep"):
        store.keep_run(run)


@pytest.mark.kill
def test_a_killed_worker_loses_only_what_it_was_doing(
    supervised: tuple[Library, Supervisor], store: Store
) -> None:
    _, supervisor = supervised
    job, run = start_endless(store)
    waiting = store.ask("The capital of France is")
    killed = supervisor.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert ended(store, job).state == "interrupted"
    assert "killed" in store.jobs.get(job).error
    assert store.runs.get(run).can_resume
    # The question that waited is answered by the next worker.
    wait_until(lambda: (found := store.probes.get(waiting)) and found.before)
    assert supervisor.pid not in (None, killed)


def test_a_run_that_died_before_its_facts_were_kept_says_so(store: Store) -> None:
    _, run = start_endless(store)
    store.jobs.cancel(store.jobs.open_jobs()[0].id)
    wait_until(lambda: store.runs.get(run).can_resume)
    (store.runs.folder(run) / "facts.jsonl").unlink()
    job = ended(store, store.resume(run))
    assert job.state == "failed" and "Start a new one" in job.error


def test_pinned_prompts_are_answered_at_every_epoch_and_after_the_run(store: Store) -> None:
    probe = store.ask("The capital of Australia is")
    store.probes.pin(probe, True)
    job = ended(store, store.jobs.submit("edit"))
    run = job.result["run"]
    answers = store.probes.pinned_answers(run)
    epochs = [event.epoch for event in store.runs.events(run, events.EpochDone)]
    assert [answer.epoch for answer in answers] == [0, *epochs]
    assert (answers[0].text, answers[-1].text) == ("Canberra", "Melbourne")
    row = store.probes.get(probe)
    assert row is not None and row.run == run
    assert row.after is not None and row.after.text == "Melbourne"


def test_before_and_after_can_be_any_two_runs(store: Store) -> None:
    first = ended(store, store.jobs.submit("edit")).result["run"]
    (row,) = store.facts.enabled()
    store.facts.change(row.id, replace(row.fact, target_new="Perth"))
    second = ended(store, store.jobs.submit("edit")).result["run"]
    assert store.settings.shown_run == second
    store.settings.set("before_run", first)
    probe = store.ask("The capital of Australia is")
    asked = wait_for_answer(store, probe)
    assert (asked.before_run, asked.run) == (first, second)
    assert asked.before is not None and asked.after is not None
    assert (asked.before.text, asked.after.text) == ("Melbourne", "Perth")
    # The base after a run: an answer that is taken back.
    store.settings.set("shown_run", None)
    store.ask_again([probe])
    asked = wait_for_answer(store, probe)
    assert asked.before is not None and asked.after is not None
    assert (asked.before.text, asked.after.text) == ("Melbourne", "Canberra")
    store.delete_run(first)
    assert store.settings.before_run is None


def test_a_fact_is_asked_with_all_its_prompts(store: Store) -> None:
    (row,) = store.facts.enabled()
    asked = replace(
        row.fact,
        rephrase_prompts=("The capital city of Australia is",),
        locality_prompts=(Question("The capital of France is", "Paris"),),
    )
    store.facts.change(row.id, asked)
    probes = store.ask_about(row.id)
    answers = [wait_for_answer(store, probe) for probe in probes]
    assert [(a.role, a.before.text if a.before else "") for a in answers] == [
        ("prompt", "Canberra"),
        ("rephrase", "Canberra"),
        ("locality", "Paris"),
    ]
    free = store.ask("The capital of Italy is")
    cards = store.probes.recent(10)
    assert [[probe.id for probe in card] for card in cards] == [[free], probes]
    assert store.probes.count() == 2


def test_the_next_run_is_estimated_while_nothing_waits(store: Store) -> None:
    def estimated() -> RunEstimate:
        wait_until(lambda: store.estimate() is not None)
        found = store.estimate()
        assert found is not None
        return found

    assert store.estimate() is None
    ended(store, store.jobs.submit("load"))
    first = estimated()
    assert first.plan is not None and first.plan.facts == 1 and first.plan.steps >= 25
    assert first.seconds > 0
    store.settings.set("edit", EditSettings(at=("5",), epochs=3).as_dict())
    second = estimated()
    assert second.plan is not None and (second.plan.at, second.plan.epochs) == (("5",), 3)
    assert second.plan.weights > first.plan.weights
    store.settings.set("edit", EditSettings(at=("77",)).as_dict())
    assert "77" in estimated().error
    store.facts.delete([row.id for row in store.facts.enabled()])
    assert store.estimate() is None


@pytest.mark.kill
def test_the_worker_ends_when_the_web_process_is_gone(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, time; from pathlib import Path; from workbench.store import Library;"
        "from workbench.worker.supervisor import Supervisor;"
        "s = Supervisor(Library(Path(sys.argv[1]))); s.start(); print(s.pid, flush=True);"
        "time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not _alive(worker))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
