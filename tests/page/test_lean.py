"""Outputs that are left alone cost nothing, and nothing else is different."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from workbench.page.kit.lean import LeanBlocks

CASES: list[Any] = [
    [gr.skip(), "new", gr.skip()],
    [gr.skip(), gr.skip(), gr.Button("other", interactive=False)],
    ["<b>a</b>", "b", "c"],
    [gr.skip(), gr.skip(), gr.skip()],
    [gr.skip(), {"a": 1}, gr.update(value="d", visible=False)],
    gr.skip(),
]


def sent(kind: type[gr.Blocks], returned: Any) -> Any:
    """What a page of this kind sends when a function returned this."""
    with kind(analytics_enabled=False) as blocks:
        places = [gr.HTML(""), gr.Textbox(), gr.Button("one")]
        if not isinstance(returned, list):
            places = places[:2]
        gr.on([blocks.load], lambda: returned, None, places, queue=False)
    [function] = blocks.fns.values()
    call = blocks.process_api(function, [], state=SessionState(blocks))

    async def run() -> Any:
        return (await call)["data"]

    # In a thread of its own: a browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(run())).result()


@pytest.mark.parametrize("returned", CASES, ids=range(len(CASES)))
def test_the_same_is_sent_as_gradio_sends(returned: Any) -> None:
    assert sent(LeanBlocks, returned) == sent(gr.Blocks, returned)


def test_what_is_skipped_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    original = gr.Button.__init__

    def count(self: gr.Button, *values: Any, **named: Any) -> None:
        made.append("button")
        original(self, *values, **named)

    monkeypatch.setattr(gr.Button, "__init__", count)
    sent(LeanBlocks, [gr.skip(), gr.skip(), gr.skip()])
    assert made == ["button"]
