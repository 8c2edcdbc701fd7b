"""Outputs that are left alone cost nothing, and nothing else is different."""

import asyncio
import copy
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

    async def send() -> Any:
        with kind(analytics_enabled=False) as blocks:
            places = [gr.HTML(""), gr.Textbox(), gr.Button("one")]
            gr.on([blocks.load], lambda: copy.deepcopy(returned), None, places, queue=False)
        [function] = blocks.fns.values()
        done = await blocks.process_api(function, [], state=SessionState(blocks))
        return done["data"]

    # In a thread of its own: a browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(send())).result()


@pytest.mark.parametrize("returned", CASES, ids=range(len(CASES)))
def test_the_same_is_sent_as_gradio_sends(returned: Any) -> None:
    lean, usual = sent(LeanBlocks, returned), sent(gr.Blocks, returned)
    assert len(lean) == len(usual) == 3
    given = returned if isinstance(returned, list) else [gr.skip()] * 3
    for value, ours, theirs in zip(given, lean, usual, strict=True):
        if value == gr.skip():
            # Gradio adds an empty set of an HTML's properties.
            assert ours["__type__"] == "update" and not ours.get("props", {}).keys() - {"__type__"}
        else:
            assert ours == theirs


def test_what_is_skipped_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    original = gr.Button.__init__

    def count(self: gr.Button, *values: Any, **named: Any) -> None:
        made.append("button")
        original(self, *values, **named)

    monkeypatch.setattr(gr.Button, "__init__", count)
    sent(LeanBlocks, [gr.skip(), gr.skip(), gr.skip()])
    assert made == ["button"]
