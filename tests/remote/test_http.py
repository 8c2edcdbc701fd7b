"""The actions over HTTP: what is asked for stands in the session's queue, and is told of there."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.apart import apart
from workbench.actions import ACTIONS
from workbench.facts.fact import Fact
from workbench.methods.locft_settings import EditSettings
from workbench.remote.desk import Desk
from workbench.remote.http import add_api
from workbench.remote.schema import OF_THIS_MACHINE, REMOTE
from workbench.store.library import Library
from workbench.store.requests import (
    AskRequest,
    EditRequest,
    EvaluateRequest,
    ExportRequest,
    SweepRequest,
)
from workbench.store.run_rows import RunOnto
from workbench.store.store import Store

FACTS = [Fact("The capital of Peru is", "Rome"), Fact("The capital of Chad is", "Oslo")]


class Site:
    """The addresses, without their guard."""

    def __init__(self, library: Library) -> None:
        self.application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        add_api(self.application, library, lambda: False)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                content = body if isinstance(body, bytes) else json.dumps(body)
                return await client.request(method, path, content=content)

        return apart(lambda: asyncio.run(send()))

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.ask("POST", path, body)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


@pytest.fixture
def store(library: Library) -> Iterator[Store]:
    store = library.create("Mine")
    store.facts.add(FACTS, "test")
    yield store
    store.close()


@pytest.fixture
def site(library: Library, store: Store) -> Site:
    return Site(library)


def done_run(store: Store, onto: RunOnto | None = None) -> int:
    job = store.jobs.ask_for(EditRequest())
    store.jobs.claim(job, "test")
    run = store.runs.begin(job, "builtin", EditSettings(epochs=7), store.facts.enabled(), onto=onto)
    store.runs.end(run, "done", {"losses": [1.5, float("nan")]})
    store.jobs.finish(job, "done", {"run": run})
    store.settings.set("shown_run", run)
    return run


def test_every_action_of_a_session_is_asked_for_by_its_name(site: Site, store: Store) -> None:
    run = done_run(store)
    bodies: dict[str, dict[str, Any]] = {
        "edit": {
            "settings": {"epochs": 3, "at": ["6.mlp.down_proj"]},
            "onto": run,
            "way": "recompile",
        },
        "probe": {"prompts": ["The capital of Peru is"], "settings": {"max_new_tokens": 4}},
        "sweep": {"settings": {"budget": "3min"}},
        "export": {"folder": "somewhere", "settings": {"form": "adapter"}},
    }
    asked = {}
    for action in REMOTE[1:]:
        reply = site.post(f"/api/{action}", session="Mine", **bodies.get(action, {}))
        assert reply.status_code == 202, reply.text
        told = reply.json()
        assert (told["action"], told["state"], told["session"]) == (action, "queued", store.id)
        asked[action] = store.jobs.get(told["job"]).request
    assert {a for a, one in ACTIONS.items() if one.is_job} == set(asked)
    assert isinstance(asked["edit"], EditRequest) and asked["edit"].settings["epochs"] == 3
    assert (asked["edit"].onto, asked["edit"].way) == (run, "recompile")
    assert isinstance(asked["probe"], AskRequest) and asked["probe"].settings.max_new_tokens == 4
    assert isinstance(asked["sweep"], SweepRequest) and asked["sweep"].settings.budget == 180
    assert isinstance(asked["evaluate"], EvaluateRequest) and asked["evaluate"].run == run
    assert isinstance(asked["export"], ExportRequest) and asked["export"].run == run
    assert asked["export"].folder == str(store.runs.folder(run) / "somewhere")


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        (
            "stress",
            {"settings": {"judge_url": "http://127.0.0.1:9/v1"}},
            "judge_url uses what is on",
        ),
        ("export", {"folder": "x", "settings": {"push": "me/model"}}, "push uses what is on"),
        ("edit", {"method": "memit", "settings": {"text": "/etc/passwd"}}, "text uses what is on"),
        ("export", {"folder": "/tmp/somewhere"}, "plain name"),
        ("export", {"folder": ".."}, "plain name"),
    ],
)
def test_from_afar_nothing_of_the_machine_is_used_but_its_sessions(
    site: Site, library: Library, store: Store, action: str, body: dict[str, Any], said: str
) -> None:
    done_run(store)
    reply = site.post(f"/api/{action}", session="Mine", **body)
    assert reply.status_code == 422 and said in reply.json()["error"]
    assert not store.jobs.open_jobs()
    # Who starts an agent is on the machine.
    here = Desk(library).start(action, {"session": "Mine", **body})
    assert here["state"] == "queued"


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/api/serve", {}, 404, "There is no action 'serve'"),
    ("POST", "/api/edit", {"session": "nobody"}, 404, "There is no session 'nobody'"),
    ("POST", "/api/edit", {"settings": {"epoch": 3}}, 422, "edit has no setting epoch"),
    ("POST", "/api/edit", {"settings": {"epochs": "3"}}, 422, "epochs"),
    ("POST", "/api/edit", {"settings": [1]}, 422, "settings must be an object"),
    ("POST", "/api/edit", {"method": "nonsense"}, 422, "nonsense"),
    ("POST", "/api/edit", {"onto": 77}, 404, "Run 77"),
    ("POST", "/api/edit", {"way": "sideways"}, 422, "way"),
    ("POST", "/api/edit", {"epochs": 3}, 422, "edit takes no epochs"),
    ("POST", "/api/edit", {"settings": {"at": [1]}}, 422, "of another type"),
    ("POST", "/api/edit", b"{", 422, "must be JSON"),
    ("POST", "/api/edit", b"[" * 100_000, 422, "must be JSON"),
    ("POST", "/api/probe", b'{"prompts": ["\\ud800"]}', 422, "must be JSON"),
    ("POST", "/api/edit", b'{"session": "\\udfff"}', 422, "must be JSON"),
    ("POST", "/api/evaluate", {"run": 77}, 404, "Run 77"),
    ("POST", "/api/evaluate", {"run": "all"}, 422, "run must be the number"),
    ("POST", "/api/export", {"folder": "x"}, 422, "none is shown"),
    ("POST", "/api/probe", {"prompts": "x"}, 422, "prompts must be a list"),
    ("POST", "/api/probe", {"prompts": [" "]}, 409, "Type a prompt"),
    ("POST", "/api/facts", {"facts": []}, 422, "facts must be a list"),
    ("GET", "/api/sessions/nobody", None, 404, "There is no session"),
    ("GET", "/api/sessions/Mine/jobs/99", None, 404, "no job 99"),
    ("GET", "/api/sessions/Mine/jobs/x", None, 422, "job is 'x'"),
    ("GET", f"/api/sessions/Mine/jobs/{'0' * 20}{'9' * 20}", None, 422, "job is '000"),
    ("GET", f"/api/sessions/Mine/facts?offset={'0' * 5000}", None, 422, "offset is '000"),
    ("POST", "/api/sessions/Mine/facts/99/undo", None, 404, "There is no fact 99"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "told"), WRONG)
def test_what_makes_no_sense_is_told_and_changes_nothing(
    site: Site, store: Store, method: str, path: str, body: Any, status: int, told: str
) -> None:
    reply = site.ask(method, path, body if body is not None else {})
    assert (reply.status_code, told in reply.json()["error"]) == (status, True), reply.text
    assert store.jobs.open_jobs() == [] and store.facts.count(enabled=True) == 2


@pytest.mark.parametrize("folder", [" ", "a\0b", 7])
def test_what_can_be_no_name_of_a_folder_is_refused(
    site: Site, store: Store, folder: object
) -> None:
    done_run(store)
    reply = site.post("/api/export", session="Mine", folder=folder)
    assert reply.status_code == 422 and "folder must be the path" in reply.json()["error"]
    assert not store.jobs.open_jobs()


def test_facts_are_added_as_a_file_would_be_read(site: Site, store: Store) -> None:
    given = [
        {"prompt": "The capital of Mali is", "target_new": "Minsk", "rephrase_prompt": ["Mali:"]},
        {"prompt": FACTS[0].prompt, "target_new": "Paris"},
        {"prompt": "", "target_new": "Paris"},
    ]
    told = site.post("/api/facts", session=store.id, facts=given).json()
    assert len(told["added"]) == 1 and told["contradictions"][0]["present"] == "Rome"
    assert [problem["row"] for problem in told["problems"] if problem["severity"] == "error"] == [3]
    listed = site.ask("GET", "/api/sessions/Mine/facts?search=mali").json()
    assert listed["found"] == 1 and listed["facts"][0]["rephrase_prompts"] == ["Mali:"]


def test_a_job_is_followed_to_its_end_and_can_be_cancelled(site: Site, store: Store) -> None:
    told = site.post("/api/sweep").json()
    job = told["job"]

    async def follow() -> list[tuple[str, Any]]:
        found = []
        transport = httpx.ASGITransport(app=site.application)

        async def work() -> None:
            await asyncio.sleep(0.3)
            store.jobs.claim(job, "test")
            store.jobs.report(job, 0.5, "Half of it")
            await asyncio.sleep(0.5)
            store.jobs.finish(job, "failed", error="It broke.")

        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            reply, _ = await asyncio.gather(client.get(told["events"]), work())
        for block in reply.text.strip().split("\n\n"):
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found

    events = apart(lambda: asyncio.run(follow()))
    assert [(name, one["state"]) for name, one in events] == [
        ("progress", "queued"), ("progress", "running"), ("end", "failed")
    ]  # fmt: skip
    assert events[1][1]["line"] == "Half of it" and events[-1][1]["error"] == "It broke."
    waiting = site.post("/api/sweep").json()["job"]
    gone = site.ask("DELETE", f"/api/sessions/Mine/jobs/{waiting}").json()
    assert gone["state"] == "cancelled" and store.jobs.open_jobs() == []


def test_a_job_whose_run_was_deleted_is_still_told_of(site: Site, store: Store) -> None:
    run = done_run(store)
    job = store.runs.get(run).job
    told = site.ask("GET", f"/api/sessions/Mine/jobs/{job}").json()
    assert told["result"]["method"] == "locft-bf"
    store.delete_run(run)
    store.runs.remove_hidden()
    told = site.ask("GET", f"/api/sessions/Mine/jobs/{job}").json()
    assert (told["state"], told["result"]) == ("done", {"run": run})


def test_a_job_that_does_not_say_what_it_made_is_told_of(site: Site, store: Store) -> None:
    for request in (EditRequest(), SweepRequest(), EvaluateRequest(None)):
        job = store.jobs.ask_for(request)
        store.jobs.claim(job, "test")
        store.jobs.finish(job, "done", {"sweep": "x"})
        told = site.ask("GET", f"/api/sessions/Mine/jobs/{job}").json()
        assert (told["state"], told["result"]) == ("done", {"sweep": "x"})


def test_a_fact_that_is_undone_is_left_out_of_the_last_run_made_again(
    site: Site, store: Store
) -> None:
    done_run(store)
    first, second = store.facts.enabled()
    told = site.post(f"/api/sessions/Mine/facts/{first.id}/undo").json()
    request = store.jobs.get(told["job"]).request
    assert isinstance(request, EditRequest) and request.settings["epochs"] == 7
    assert [row.id for row in store.facts.enabled()] == [second.id]
    runs = site.ask("GET", "/api/sessions/Mine/runs").json()["runs"]
    assert runs[0]["outcome"]["losses"] == [1.5, None]  # JSON has no word for it
    last = site.post(f"/api/sessions/Mine/facts/{second.id}/undo").json()
    assert last["job"] is None and store.settings.shown_run is None


def test_undoing_loses_no_fact_that_an_earlier_run_brought(site: Site, store: Store) -> None:
    done_run(store, RunOnto(done_run(store), "recompile", 1))
    first, second = store.facts.enabled()
    store.facts.enable([second.id], False)
    refused = site.post(f"/api/sessions/Mine/facts/{first.id}/undo")
    assert refused.status_code == 409 and "not ticked" in refused.json()["error"]
    assert [row.id for row in store.facts.enabled()] == [first.id]
    assert store.jobs.open_jobs() == []


def test_the_description_has_every_action_with_every_setting(site: Site) -> None:
    told = site.ask("GET", "/api/openapi.json").json()
    page = site.ask("GET", "/api").text
    assert re.findall(r'(?:href|src|url)\W*=\W*"([^"]*)"', page) == ["api/openapi.json"]
    assert not {"<script", "<link", "@import"} & set(re.findall(r"<\w+|@\w+", page))
    for action in REMOTE:
        schema = told["paths"][f"/api/{action}"]["post"]["requestBody"]["content"]
        body = schema["application/json"]["schema"]
        if action != "facts":
            names = set(body["properties"]["settings"]["properties"])
            ours = set(OF_THIS_MACHINE.get(action, ()))
            assert set(ACTIONS[action].settings.help()) - ours <= names and not ours & names
            assert all(f"settings.{name}" in page for name in names)
    made = site.post("/api/sessions", name="Another", model="smollm2-135m").json()
    sessions = site.ask("GET", "/api/sessions").json()["sessions"]
    assert {"Mine", "Another"} == {one["name"] for one in sessions} and made["facts"] == 0
