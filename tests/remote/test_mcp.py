"""The tools of agents, asked by the protocol's own client: what they say, and that they do it."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import INVALID_PARAMS, CallToolResult, JSONRPCRequest, TextContent

from tests.apart import apart
from tests.cli.conftest import run_command
from tests.imports import ROOT
from workbench._version import __version__
from workbench.actions import ACTIONS
from workbench.remote.desk import Desk
from workbench.remote.mcp import MISSING
from workbench.remote.mcp_server import INSTRUCTIONS, mcp_server, serve_stdio
from workbench.remote.owner import Owner
from workbench.remote.tools import Tools
from workbench.store.library import Library
from workbench.store.lock import LOCK_NAME, FolderLock
from workbench.work.stop import Stop


def with_client(library: Library, do: Callable[[Client], Awaitable[None]]) -> None:
    """Does something with a client that speaks to the tools of a library."""

    async def main() -> None:
        server = mcp_server(Tools(Desk(library)), Stop())
        async with Client(server, mode="legacy") as client:
            await do(client)

    apart(lambda: anyio.run(main))


GREETING: dict[str, Any] = {
    "protocolVersion": "2024-11-05",
    "capabilities": {},
    "clientInfo": {"name": "older", "version": "1"},
}


def line(method: str, **params: Any) -> str:
    """What a client writes to ask for something."""
    asked = JSONRPCRequest(jsonrpc="2.0", id=method, method=method, params=params)
    return asked.model_dump_json() + "\n"


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_client_is_greeted_and_told_of_the_tools(library: Library) -> None:
    async def look(client: Client) -> None:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == (
            "locft-workbench",
            __version__,
        )
        assert client.instructions == INSTRUCTIONS
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        wanted = {"list_sessions", "add_facts", "undo_fact", "job", "cancel_job"}
        assert wanted | {a for a, one in ACTIONS.items() if one.is_job} <= set(tools)
        for one in Tools(Desk(library)).listed():
            told = tools[one["name"]]
            assert (told.description, told.input_schema) == (one["description"], one["inputSchema"])
        assert tools["add_facts"].input_schema["required"] == ["facts"]

    with_client(library, look)


def test_nobody_else_is_told_of_a_call(library: Library) -> None:
    assert mcp_server(Tools(Desk(library)), Stop()).middleware == []


def test_what_cannot_be_done_is_an_error_of_the_tool_or_of_the_protocol(library: Library) -> None:
    async def ask(client: Client) -> None:
        with pytest.raises(MCPError, match="There is no tool 'nonsense'") as unknown:
            await client.call_tool("nonsense", {})
        assert unknown.value.error.code == INVALID_PARAMS
        refused = await client.call_tool("edit", {"at": 1})
        assert refused.is_error and "takes no at" in text_of(refused)

    with_client(library, ask)


def test_a_call_that_takes_long_hands_back_its_job_and_tells_how_far_it_is(
    library: Library,
) -> None:
    store = library.create("Mine", samples=True)

    async def ask(client: Client) -> None:
        answer = await client.call_tool("sweep", {"session": "Mine", "wait": 0})
        assert answer.structured_content is not None and not answer.is_error
        job, heard = answer.structured_content["job"], []
        assert answer.structured_content["state"] == "queued"
        store.jobs.claim(job, "test")
        store.jobs.report(job, 0.25, "A quarter of it")

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.append((progress, total, message))

        waiting = {"session": "Mine", "job": job, "wait": 0.3}
        later = await client.call_tool("job", waiting, progress_callback=hear)
        assert heard == [(0.25, 1.0, "A quarter of it")]
        assert later.structured_content is not None
        assert later.structured_content["line"] == "A quarter of it"

    with_client(library, ask)


def test_a_call_that_is_cancelled_cancels_its_job(library: Library) -> None:
    store = library.create("Mine", samples=True)

    async def ask(client: Client) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "sweep", {"wait": 60})
            while not store.jobs.open_jobs():
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        with anyio.fail_after(10):
            while store.jobs.open_jobs():
                await anyio.sleep(0.01)

    with_client(library, ask)
    job = store.jobs.latest("sweep")
    assert job is not None and job.state == "cancelled"


def test_a_client_that_goes_away_cancels_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = library.create("Mine", samples=True)
    read, write = os.pipe()
    said = os.fdopen(read, "rb")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(said))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    work = threading.Thread(target=serve_stdio, args=(Tools(Desk(library)),))
    work.start()
    with os.fdopen(write, "w") as client:
        client.write(line("initialize", **GREETING))
        client.write(line("tools/call", name="sweep", arguments={"wait": 60}))
        client.flush()
        while not store.jobs.open_jobs():
            time.sleep(0.01)
    work.join(30)
    said.close()
    assert not work.is_alive() and len(store.jobs.open_jobs()) == 1


@pytest.mark.slow
def test_an_interrupt_ends_it_though_the_client_says_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench", "mcp", "--sessions", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(line("initialize", **GREETING).encode())
        process.stdin.flush()
        assert b"locft-workbench" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130 and process.stdout.read() == b""


def test_where_a_workbench_is_open_its_worker_is_used(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / LOCK_NAME)
    with Owner(tmp_path) as owner:
        assert not owner.is_alone
    lock.release()


def test_without_the_package_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "workbench.remote.mcp_server")
    monkeypatch.setitem(sys.modules, "mcp.server.context", None)
    ran = run_command("mcp", "--sessions", str(tmp_path / "none"))
    assert ran.code == 2 and MISSING in ran.err and not (tmp_path / "none").exists()


@pytest.mark.slow
def test_an_agent_edits_a_fact_sees_that_it_holds_and_takes_it_back(tmp_path: Path) -> None:
    command = ["-m", "workbench", "mcp", "--sessions", str(tmp_path)]

    async def main() -> None:
        how = StdioServerParameters(command=sys.executable, args=command, cwd=ROOT, env=env)
        async with Client(how) as agent:

            async def ask(name: str, /, **arguments: Any) -> Any:
                result = await agent.call_tool(name, arguments)
                assert not result.is_error, result
                return result.structured_content

            await ask("create_session", name="Agent's")
            facts = [
                {"prompt": "The capital of France is", "target_new": "Lyon"},
                {"prompt": "The capital of Japan is", "target_new": "Osaka"},
            ]
            await ask("add_facts", facts=facts)
            run = await ask("edit", wait=300, settings={"epochs": 15, "batch_size": 2})
            assert run["state"] == "done" and run["result"]["learned"] == 2
            prompt = {"prompts": ["The capital of France is"], "wait": 300}
            (before,) = (await ask("probe", **prompt))["result"]["probes"]
            assert (before["before"]["text"], before["after"]["text"]) == ("Paris", "Lyon")
            measured = (await ask("evaluate", wait=300))["result"]
            assert measured["run"] == run["result"]["run"] and "after" in measured["evaluation"]
            await ask("undo_fact", fact="The capital of France is", wait=300)
            (after,) = (await ask("probe", **prompt))["result"]["probes"]
            assert after["after"]["text"] == "Paris"
            assert len((await ask("list_runs"))["runs"]) == 2

    # The client hands on few of the environment's variables by itself.
    env = dict(os.environ)
    apart(lambda: anyio.run(main))
