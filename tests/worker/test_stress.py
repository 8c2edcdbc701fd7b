"""Stressing in a session: the table is kept and drawn, and nobody is asked whom it names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.capitals import capitals
from workbench.errors import WorkbenchError
from workbench.measure.report.stress import STRESS_FORMS
from workbench.measure.stress_settings import StressSettings
from workbench.page.evaluate.files import stress_report
from workbench.page.evaluate.stress_card import _draw
from workbench.store import Store
from workbench.store.requests import StressRequest
from workbench.worker.task import Cancelled, Task
from workbench.worker.workshop import Workshop

BRIEF = StressSettings(
    max_new_tokens=4,
    lasting_steps=1,
    judge_model="some/judge",
    judge_url="http://127.0.0.1:1/v1",
    judge_key_env="PATH",
)


def claimed(store: Store, request: StressRequest) -> Task:
    """A job that was just claimed by a worker."""
    job = store.jobs.ask_for(request)
    assert store.jobs.claim(job, "test")
    return Task(store, store.jobs.get(job))


def done(workshop: Workshop, store: Store, request: StressRequest) -> dict[str, Any]:
    """What a job comes to, done as the worker would."""
    task = claimed(store, request)
    result = workshop.do(task)
    store.jobs.finish(task.job.id, "done", result=result)
    return result


@pytest.mark.slow
def test_a_table_is_kept_and_drawn_for_what_it_is_of_and_no_judge_is_asked(tmp_path: Path) -> None:
    store, workshop = Store(tmp_path), Workshop()
    store.facts.add(capitals("Melbourne")[:2], "typed")
    store.settings.keep("stress", BRIEF)
    assert "table" not in _draw(store) and "some/judge" not in _draw(store)
    result = done(workshop, store, StressRequest(None, BRIEF))
    assert result["run"] is None and result["stress"]["sides"] == ["before"]
    drawn = _draw(store)
    assert "is it true? the old answer" in drawn and "no judge was named" in drawn
    job = store.jobs.latest_done("stress", None)
    assert job is not None and f'href="stresses/{store.id}/{job.id}.json"' in drawn
    report = stress_report(store, job)
    whole = json.loads(STRESS_FORMS[".json"](report))
    assert whole["facts"]["count"] == 2 and whole["stress"]["answers"][0]["before"]["said"]
    assert whole["command"] == "workbench stress facts.csv --max-new-tokens 4 --lasting-steps 1"
    for form in (".html", ".md"):
        assert "The capital of Australia is" in STRESS_FORMS[form](report)
    done(workshop, store, StressRequest(None, StressSettings(probes=("choice",))))
    assert "is it true? the old answer" not in _draw(store)
    store.jobs.finish(claimed(store, StressRequest(None)).job.id, "failed", error="It broke.")
    assert "It broke." in _draw(store) and "multiple choice" in _draw(store)
    assert store.jobs.latest_done("stress", 1) is None


def test_what_cannot_be_read_is_not_drawn_and_a_wish_to_end_it_is_heard(tmp_path: Path) -> None:
    store, workshop = Store(tmp_path), Workshop()
    store.facts.add(capitals("Melbourne")[:2], "typed")
    task = claimed(store, StressRequest(None))
    store.jobs.cancel(task.job.id)
    with pytest.raises(Cancelled):
        workshop.do(task)
    store.jobs.finish(task.job.id, "cancelled")
    wrong: list[dict[str, Any]] = [{}, {"stress": []}, {"stress": {"rows": [{"name": 1}]}}]
    for result in wrong:
        store.jobs.finish(claimed(store, StressRequest(None)).job.id, "done", result=result)
        assert "multiple choice" not in _draw(store)


def test_a_table_of_an_earlier_version_is_drawn_and_of_what_is_not_whole_there_is_no_report(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    row = {"name": "choice", "count": 2, "before": 0.5}
    table = {"rows": [row], "sides": ["before"], "sentences": ["All 2 facts."]}
    said = {"fact": 0, "row": "choice", "asked": "?", "wanted": "!"}
    whole = {"model": "builtin", "facts": 1, "of": 1, "edited": False, "chat": True}
    whole |= {"judge": None, "fine_tuned": None, "settings": {}, "answers": [said]}
    about = {"facts": {"count": 1, "digest": "abc"}, "versions": {}}
    wrong = [whole, {**whole, "answers": [said | {"row": "x"}]}, {**whole, "settings": {"x": 1}}]
    for result in ({"stress": table}, *({"stress": table | one, **about} for one in wrong)):
        number = claimed(store, StressRequest(None)).job.id
        store.jobs.finish(number, "done", result=result)
        assert "multiple choice" in _draw(store)
        assert ("Report" in _draw(store)) == ("answers" in result["stress"])
        with pytest.raises(WorkbenchError):
            stress_report(store, store.jobs.get(number))
