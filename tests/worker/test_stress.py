"""Stressing in a session: the table is kept and drawn, and nobody is asked whom it names."""

from pathlib import Path
from typing import Any

import pytest

from tests.capitals import capitals
from workbench.measure.stress_settings import StressSettings
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
