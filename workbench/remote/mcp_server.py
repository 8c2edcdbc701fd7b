"""The tools as a server of the Model Context Protocol, in the official package's terms.

Calls run side by side, each in a thread of its own, so that a long one keeps nothing else waiting.
A client that cancels a call ends the work that it began; one that goes away ends nothing.
"""

import json
import logging
import math
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from workbench._version import __version__
from workbench.errors import WorkbenchError
from workbench.remote.tools import OnProgress, Tools
from workbench.work.stop import Stop

__all__ = ["mcp_server", "serve_stdio"]

INSTRUCTIONS = (
    "Edits facts in a language model. Add facts to a session, 'sweep' to learn where they are best "
    "edited, 'edit' to compile them into a patch, 'probe' and 'evaluate' to see what changed, "
    "'undo_fact' to take one back. What a person does on the page of the same sessions is seen "
    "here, and the other way round."
)

log = logging.getLogger(__name__)

Context = ServerRequestContext[dict[str, Any]]


class _Calls:
    """What a client asks of the tools.

    Args:
        tools: what it may call.
        closing: the wish to wait no longer.
    """

    def __init__(self, tools: Tools, closing: Stop) -> None:
        self._tools, self._closing = tools, closing
        # The transport reads and writes in the default limiter's threads; calls that wait must
        # not take those from it.
        self._threads = anyio.CapacityLimiter(math.inf)

    async def list_tools(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[Tool.model_validate(one) for one in self._tools.listed()])

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        if params.name not in self._tools:
            raise MCPError(INVALID_PARAMS, f"There is no tool '{params.name}'.")
        stop = Stop()
        told, progress = anyio.create_memory_object_stream[tuple[float, str]](math.inf)

        async def report() -> None:
            try:
                async for share, line in progress:
                    await context.session.report_progress(share, 1.0, line)
            except anyio.get_cancelled_exc_class():
                if not self._closing.asked:
                    stop.ask()
                raise

        def on_progress(share: float, line: str) -> None:
            anyio.from_thread.run_sync(told.send_nowait, (share, line))

        with progress:
            async with anyio.create_task_group() as group:
                group.start_soon(report)
                with told:
                    result = await anyio.to_thread.run_sync(
                        self._result,
                        params.name,
                        params.arguments or {},
                        stop,
                        on_progress,
                        limiter=self._threads,
                    )
        return result

    def _result(
        self, name: str, given: Mapping[str, Any], stop: Stop, on_progress: OnProgress
    ) -> CallToolResult:
        try:
            found = self._tools.call(name, given, stop, on_progress, self._closing)
        except WorkbenchError as error:
            return _failed(str(error))
        except Exception:
            log.exception("The tool %s failed", name)
            return _failed("This ended with an error of the workbench; its log says which.")
        return CallToolResult(
            content=[TextContent(text=json.dumps(found, ensure_ascii=False))],
            structured_content=found,
            is_error=found.get("state") in ("failed", "interrupted"),
        )


def _failed(told: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=told)], is_error=True)


def mcp_server(tools: Tools, closing: Stop) -> Server[dict[str, Any]]:
    """The server, without a transport.

    Args:
        tools: what a client may call.
        closing: ends the waiting of calls, which cancels nothing.
    """
    calls = _Calls(tools, closing)
    server = Server(
        "locft-workbench",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=calls.list_tools,
        on_call_tool=calls.call_tool,
    )
    server.middleware = []  # the package's own tells OpenTelemetry of every call
    return server


def serve_stdio(tools: Tools) -> None:
    """Serves the client at standard input and output until its input ends.

    Args:
        tools: what it may call.
    """
    ended: Future[None] = Future()

    def run() -> None:
        try:
            ended.set_result(anyio.run(_serve_stdio, tools))
        except Exception as error:
            ended.set_exception(error)

    # The transport waits for a line in a thread that nothing wakes. That thread is a daemon if
    # this one is, so that an interrupt ends the process.
    threading.Thread(target=run, daemon=True).start()
    ended.result()


async def _serve_stdio(tools: Tools) -> None:
    closing = Stop()
    server = mcp_server(tools, closing)
    try:
        async with stdio_server() as (said, answers), anyio.create_task_group() as group:
            onward, heard = anyio.create_memory_object_stream[SessionMessage | Exception]()

            async def relay() -> None:
                async with onward, said:
                    async for message in said:
                        await onward.send(message)
                    # Said before the server learns of the end and gives up every call.
                    closing.ask()

            group.start_soon(relay)
            await server.run(heard, answers, server.create_initialization_options())
            group.cancel_scope.cancel()
    except* BrokenPipeError:
        log.info("The client has gone; an answer was not taken")
