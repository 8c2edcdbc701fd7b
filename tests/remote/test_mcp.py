"""The tools of agents: what is said on standard output, line by line, and that it does the work."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports import ROOT
from workbench.actions import ACTIONS
from workbench.remote.desk import Desk
from workbench.remote.mcp import VERSIONS, Conversation
from workbench.remote.owner import Owner
from workbench.remote.tools import Tools
from workbench.store.library import Library
from workbench.store.lock import LOCK_NAME, FolderLock


def said(library: Library, *messages: Any) -> list[dict[str, Any]]:
    """What is answered to some messages; a number of seconds is a pause between two."""
    output = io.StringIO()

    def lines() -> Iterator[str]:
        for one in messages:
            if isinstance(one, float):
                time.sleep(one)
            else:
                yield one if isinstance(one, str) else json.dumps(one)

    Conversation(Tools(Desk(library)), output).follow(lines())
    return [json.loads(line) for line in output.getvalue().splitlines()]


def request(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(name: str, number: int = 1, /, **arguments: Any) -> dict[str, Any]:
    return request("tools/call", number, name=name, arguments=arguments)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_client_is_greeted_in_its_own_version_and_told_of_the_tools(library: Library) -> None:
    hello, listed, pong = said(
        library,
        request("initialize", protocolVersion=VERSIONS[-1], capabilities={}, clientInfo={}),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        request("tools/list", 2),
        request("ping", 3),
    )
    assert hello["result"]["protocolVersion"] == VERSIONS[-1]
    assert hello["result"]["capabilities"] == {"tools": {"listChanged": False}}
    tools = {tool["name"]: tool for tool in listed["result"]["tools"]}
    wanted = {"list_sessions", "add_facts", "undo_fact", "job", "cancel_job"}
    assert wanted | {a for a, one in ACTIONS.items() if one.is_job} <= set(tools)
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools.values())
    assert tools["add_facts"]["inputSchema"]["required"] == ["facts"]
    assert (pong["id"], pong["result"]) == (3, {})
    (newer,) = said(library, request("initialize", protocolVersion="2099-01-01"))
    assert newer["result"]["protocolVersion"] == VERSIONS[0]


def test_what_cannot_be_done_is_an_error_of_the_tool_or_of_the_protocol(library: Library) -> None:
    broken, unknown, tool, refused = said(
        library, "{", request("resources/list", 2), call("nonsense", 3), call("edit", 4, at=1)
    )
    assert (broken["error"]["code"], broken["id"]) == (-32700, None)
    assert unknown["error"]["code"] == -32601 and tool["error"]["code"] == -32602
    assert refused["result"]["isError"] and "takes no at" in refused["result"]["content"][0]["text"]


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["id", "method", "params", "name", "arguments"]), x)
        ),
    )
)
def test_nothing_that_is_said_ends_the_conversation(message: Any) -> None:
    answers = said(Library(Path("/nowhere"), closed="closed"), message, request("ping", 7))
    assert answers[-1] == {"jsonrpc": "2.0", "id": 7, "result": {}}


def test_a_call_that_takes_long_hands_back_its_job_and_tells_how_far_it_is(
    library: Library,
) -> None:
    store = library.create("Mine", samples=True)
    (answer,) = said(library, call("sweep", session="Mine", wait=0))
    told = answer["result"]["structuredContent"]
    assert told["state"] == "queued" and not answer["result"]["isError"]
    store.jobs.claim(told["job"], "test")
    store.jobs.report(told["job"], 0.25, "A quarter of it")
    waiting = call("job", session="Mine", job=told["job"], wait=0.3)
    waiting["params"]["_meta"] = {"progressToken": "t"}
    progress, later = said(library, waiting, 1.0)
    assert progress["method"] == "notifications/progress"
    assert progress["params"]["progressToken"] == "t" and progress["params"]["progress"] == 0.25
    assert later["result"]["structuredContent"]["line"] == "A quarter of it"


def test_a_call_that_is_cancelled_cancels_its_job(library: Library) -> None:
    store = library.create("Mine", samples=True)
    cancelled = {"method": "notifications/cancelled", "params": {"requestId": 1}}
    assert said(library, call("sweep", wait=60), 0.2, {"jsonrpc": "2.0", **cancelled}) == []
    assert store.jobs.open_jobs() == []


def test_where_a_workbench_is_open_its_worker_is_used(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / LOCK_NAME)
    with Owner(tmp_path) as owner:
        assert not owner.is_alone
    lock.release()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`workbench mcp` on an empty folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "mcp", "--sessions", str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    yield process
    process.stdin.close()
    assert process.wait(60) == 0 and process.stdout.read() == ""
    process.stdout.close()


@pytest.mark.slow
def test_an_agent_edits_a_fact_sees_that_it_holds_and_takes_it_back(
    agent: subprocess.Popen[str],
) -> None:
    def ask(name: str, /, **arguments: Any) -> Any:
        assert agent.stdin is not None and agent.stdout is not None
        agent.stdin.write(json.dumps(call(name, **arguments)) + "\n")
        agent.stdin.flush()
        result = json.loads(agent.stdout.readline())["result"]
        assert not result["isError"], result
        return result["structuredContent"]

    ask("create_session", name="Agent's")
    facts = [
        {"prompt": "The capital of France is", "target_new": "Lyon"},
        {"prompt": "The capital of Japan is", "target_new": "Osaka"},
    ]
    ask("add_facts", facts=facts)
    run = ask("edit", wait=300, settings={"epochs": 15, "batch_size": 2})
    assert run["state"] == "done" and run["result"]["learned"] == 2
    prompt = {"prompts": ["The capital of France is"], "wait": 300}
    (before,) = ask("probe", **prompt)["result"]["probes"]
    assert (before["before"]["text"], before["after"]["text"]) == ("Paris", "Lyon")
    measured = ask("evaluate", wait=300)["result"]
    assert measured["run"] == run["result"]["run"] and "after" in measured["evaluation"]
    ask("undo_fact", fact="The capital of France is", wait=300)
    (after,) = ask("probe", **prompt)["result"]["probes"]
    assert after["after"]["text"] == "Paris"
    assert len(ask("list_runs")["runs"]) == 2
