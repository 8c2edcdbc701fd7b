"""Gradio's blocks, without the work for outputs that a function leaves as they are, and with a
word for what does not fit.

Gradio makes a component anew for each output that is skipped, which takes a millisecond; a drawing
skips nearly all of a hundred. Invariant: what is not skipped is sent as Gradio itself would.
"""

import copy
from typing import Any

import gradio as gr

__all__ = ["EventError", "LeanBlocks"]


class EventError(gr.Error):  # type: ignore[misc]
    """An event carries what does not fit the components that it is said to come from.

    Args:
        error: what the component said of it.
    """

    def __init__(self, error: Exception) -> None:
        said = error.message if isinstance(error, gr.Error) else "It is no value of its field."
        super().__init__(f"{said} Load the page again.", print_exception=False)


class LeanBlocks(gr.Blocks):  # type: ignore[misc]
    """A page whose functions cost what they change."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """What a function is called with.

        Raises:
            EventError: a value is not one that its component has.
        """
        try:
            taken: list[Any] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:
            raise EventError(error) from error
        return taken

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What is sent for the values that a function returned, one for each of its outputs."""
        outputs = block_fn.outputs
        if not isinstance(predictions, list) or not 1 < len(outputs) == len(predictions):
            return await self._postprocess(block_fn, predictions, state)
        found: list[Any] = [gr.skip() for _ in outputs]
        kept = [place for place, value in enumerate(predictions) if not _is_skipped(value)]
        if not kept:
            return found
        part = copy.copy(block_fn)
        part.outputs = [outputs[place] for place in kept]
        values = [predictions[place] for place in kept]
        sent = await self._postprocess(part, values if len(kept) > 1 else values[0], state)
        for place, value in zip(kept, sent, strict=True):
            found[place] = value
        return found

    async def _postprocess(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        sent: list[Any] = await super().postprocess_data(block_fn, predictions, state)
        return sent


def _is_skipped(value: Any) -> bool:
    return type(value) is dict and value == gr.skip()
