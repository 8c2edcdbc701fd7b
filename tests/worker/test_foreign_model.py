"""Without a click nothing leaves the machine for a session that came from elsewhere."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import TOKEN, Hub, local_hub
from workbench.model.choice import ModelChoice
from workbench.paths import builtin_model_dir
from workbench.store import Library, Store
from workbench.store.archive import pack
from workbench.store.jobs import Job
from workbench.store.requests import LoadRequest
from workbench.worker.supervisor import Supervisor

pytestmark = pytest.mark.slow

PATIENCE = 600.0  # seconds; a safety net, no more


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with local_hub(monkeypatch, tmp_path / "hub") as server:
        yield server


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "sessions")


def from_elsewhere(library: Library, model: str) -> Store:
    """A session that names a model, brought in from another machine."""
    other = Library(library.root.parent / "elsewhere")
    packed = other.create("From elsewhere", samples=True)
    packed.settings.choose_model(ModelChoice(model))
    packed.jobs.ask_for(LoadRequest())
    pack(packed.folder, library.root.parent / "session.zip")
    return library.bring_in(library.root.parent / "session.zip")


def ended(store: Store, job: int) -> Job:
    end = time.monotonic() + PATIENCE
    while (found := store.jobs.get(job)).is_open:
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


def test_the_hub_is_asked_after_a_click_and_never_before(library: Library, hub: Hub) -> None:
    store = from_elsewhere(library, "some/model")
    library.enter(store.id)
    supervisor = Supervisor(library)
    supervisor.start()
    try:
        # What a person asks of the model says what it waits for, and asks nobody either.
        asked = store.ask("The capital of Australia is")
        row = store.probes.get(asked)
        assert row is not None and row.job is not None
        refused = ended(store, row.job)
        assert refused.state == "failed"
        assert "came from elsewhere and names the model 'some/model'" in refused.error
        library.enter(store.id)
        assert store.jobs.latest("load") is None or not store.jobs.open_jobs()
        assert (hub.connections, hub.asked) == (0, [])

        store.settings.confirm_model("some/model")
        library.enter(store.id)
        load = store.jobs.latest("load")
        assert load is not None
        assert "'some/model'" in ended(store, load.id).error
        # With the person's token, as the question said.
        assert f"/some/model/resolve/main/config.json Bearer {TOKEN}" in hub.asked
    finally:
        supervisor.stop()


def test_a_session_made_here_loads_its_model_by_itself_as_before(
    library: Library, hub: Hub
) -> None:
    store = library.create("Mine")
    store.settings.choose_model(ModelChoice(str(builtin_model_dir())))
    library.enter(store.id)
    supervisor = Supervisor(library)
    supervisor.start()
    try:
        load = store.jobs.latest("load")
        assert load is not None and ended(store, load.id).state == "done"
        assert store.settings.summary is not None
        assert hub.connections == 0
    finally:
        supervisor.stop()
