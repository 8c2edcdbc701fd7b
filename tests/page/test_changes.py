"""The stream of changes: everything at first, then only what has changed, and to whom."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from workbench.facts import Fact
from workbench.page.changes import Changes, add_changes, page_state
from workbench.store import Library
from workbench.store.status import WorkerStatus

pytestmark = pytest.mark.slow

SOON = 2.0  # seconds
FACT = Fact("The capital of Australia is", "Melbourne")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


class Ear:
    """Hears one stream, and can be asked for what comes within some time."""

    def __init__(self, stream: AsyncIterator[str]) -> None:
        self._stream = stream
        self._heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._task = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for event in self._stream:
            if event.startswith("retry"):
                continue
            name, data = event.rstrip().split("\n")
            told = json.loads(data.removeprefix("data: "))
            await self._heard.put((name.removeprefix("event: "), told))

    async def next(self, patience: float = SOON) -> tuple[str, dict[str, Any]]:
        return await asyncio.wait_for(self._heard.get(), patience)

    async def nothing(self, seconds: float) -> bool:
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False

    async def settled(self) -> dict[str, Any]:
        """All that is told until nothing more comes."""
        told: dict[str, Any] = {}
        while True:
            try:
                told |= (await self.next(0.6))[1]
            except TimeoutError:
                return told

    async def leave(self) -> None:
        """As a connection that breaks: what sends the stream is cancelled."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def over(self) -> bool:
        return self._task.done()


@asynccontextmanager
async def hearing(changes: Changes) -> AsyncIterator[Ear]:
    ear = Ear(changes.follow())
    try:
        yield ear
    finally:
        await ear.leave()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    # In a thread of its own: a browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(test())).result()


def test_a_stream_begins_with_the_present_state_and_then_rests(library: Library) -> None:
    one, other = library.create("one"), library.create("other")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            name, told = await ear.next()
            assert name == "all"
            assert set(told) == {"", one.id, other.id}
            for store in (one, other):
                expected = f"{store.id} {told['']} {told[store.id]}"
                assert page_state(library, store.id) == expected
            assert await ear.nothing(3.5)  # longer than files take to count as settled
        changes.end()

    run(test)


def test_a_stream_says_first_which_edition_the_server_is(library: Library) -> None:
    async def test() -> None:
        changes = Changes(library, edition="some edition")
        stream = changes.follow()
        heard = [await anext(stream), await anext(stream)]
        assert heard[1] == 'event: edition\ndata: "some edition"\n\n'
        await stream.aclose()  # type: ignore[attr-defined]
        changes.end()

    run(test)


def test_only_the_session_that_changed_is_told(library: Library) -> None:
    one, other = library.create("one"), library.create("other")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            await ear.next()
            one.facts.add([FACT], "file")
            name, told = await ear.next()
            assert (name, set(told)) == ("some", {one.id})
            assert page_state(library, one.id).split()[2] == told[one.id]
            job = other.jobs.submit("load")
            assert set(await ear.settled()) == {other.id}
            other.jobs.claim(job, "worker")
            await ear.settled()
            other.jobs.report(job, 0.5, "half")
            assert set(await ear.settled()) == {other.id}
            one.settings.set("name", "renamed")
            assert set(await ear.settled()) == {"", one.id}
        changes.end()

    run(test)


def test_what_happens_long_after_is_told_as_soon(library: Library) -> None:
    store = library.create("one")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            await ear.next()
            await asyncio.sleep(3.0)
            for number in range(3):
                began = time.monotonic()
                store.settings.set("any", number)
                await ear.next()
                assert time.monotonic() - began < 0.5
        changes.end()

    run(test)


def test_new_and_deleted_sessions_and_the_worker_are_told(library: Library) -> None:
    store = library.create("one")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            await ear.next()
            second = library.create("second")
            told = await ear.settled()
            assert told[""] and told[second.id]
            library.discard(second.id)
            told = await ear.settled()
            assert told[""] and told[second.id] is None
            assert page_state(library, second.id) == f"{second.id} {told['']} "
            WorkerStatus(1, "idle").write(library.root)
            assert set(await ear.settled()) == {""}
            assert page_state(library, store.id).split()[1] != told[""]
        changes.end()

    run(test)


def test_many_changes_at_once_are_few_events(library: Library) -> None:
    store = library.create("one")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            await ear.next()
            end, heard, number = time.monotonic() + 2.0, 0, 0
            while time.monotonic() < end:
                number += 1
                store.settings.set("any", number)
                if not await ear.nothing(0.01):
                    heard += 1
            assert number > 2 * heard
            assert 2 <= heard <= 11
        changes.end()

    run(test)


def test_listeners_come_and_go(library: Library) -> None:
    store = library.create("one")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as first, hearing(changes) as second:
            assert (await first.next())[0] == (await second.next())[0] == "all"
            assert changes.listeners == 2
            await second.leave()
            assert changes.listeners == 1
            store.facts.add([FACT], "file")
            assert (await first.next())[0] == "some"
        assert changes.listeners == 0
        store.settings.set("any", 1)
        # Whoever comes back is told what happened meanwhile.
        async with hearing(changes) as ear:
            _, told = await ear.next()
            assert page_state(library, store.id).endswith(told[store.id])
            changes.end()
            await asyncio.sleep(0.1)
            assert ear.over
        assert changes.listeners == 0

    run(test)


def test_a_session_that_cannot_be_opened_hides_no_other(library: Library) -> None:
    store = library.create("one")
    broken = library.root / "20200101-00000000"
    broken.mkdir()
    (broken / "session.db").write_bytes(b"no database")

    async def test() -> None:
        changes = Changes(library)
        async with hearing(changes) as ear:
            _, told = await ear.next()
            assert told[store.id] and told[broken.name] == ""
            store.facts.add([FACT], "file")
            assert store.id in (await ear.next())[1]
        changes.end()

    run(test)


def test_a_closed_library_is_followed_too(library: Library) -> None:
    store = library.create("one")

    async def test() -> None:
        changes = Changes(Library(library.root, closed="Another workbench has it."))
        async with hearing(changes) as ear:
            await ear.next()
            store.facts.add([FACT], "file")
            assert set((await ear.next())[1]) == {store.id}
        changes.end()

    run(test)


def test_a_listener_whose_connection_breaks_is_forgotten(library: Library) -> None:
    library.create("one")
    application = FastAPI()
    changes = add_changes(application, library)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with socket.create_connection(listener.getsockname(), timeout=10) as connection:
            connection.sendall(b"GET /changes HTTP/1.1\r\nHost: localhost\r\n\r\n")
            said = b""
            while b"event: all" not in said:
                said += connection.recv(4096)
            assert b"text/event-stream" in said and b"retry: " in said
            assert changes.listeners == 1
        end = time.monotonic() + 10
        while changes.listeners and time.monotonic() < end:
            time.sleep(0.05)
        assert changes.listeners == 0
        changes.end()
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive()
