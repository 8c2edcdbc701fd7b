"""Actions of one session are done one after the other."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from workbench.page.kit.page import Page
from workbench.store import Library, Store


def test_the_second_of_two_clicks_sees_what_the_first_did(library: Library, store: Store) -> None:
    begun = threading.Event()

    def add_one(store: Store) -> None:
        count = store.settings.get("clicks", 0)
        begun.set()
        time.sleep(0.1)
        store.settings.set("clicks", count + 1)

    found: list[Any] = []

    async def build() -> None:
        with gr.Blocks():
            page = Page(library, gr.Textbox(), gr.HTML(), gr.Textbox())
            page.action(lambda act, *rest, **more: found.append(act), add_one)

    with ThreadPoolExecutor(1) as other:  # a browser's loop may run in this thread
        other.submit(asyncio.run, build()).result()
    clicks = [threading.Thread(target=found[0], args=(store.id,)) for _ in range(2)]
    clicks[0].start()
    assert begun.wait(10)
    clicks[1].start()
    for click in clicks:
        click.join()
    assert store.settings.get("clicks") == 2
