"""Passes through a model that ask first whether they are still wanted.

Generation makes a pass for each token, so that it can end between two of them, also inside a
library that knows nothing of such a wish. Invariant: after the block no hook is left.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.model.language_model import LanguageModel
from workbench.work.stop import Stop

__all__ = ["stoppable"]


@contextmanager
def stoppable(model: LanguageModel, stop: Stop | None) -> Iterator[None]:
    """A block in which every pass through the model asks first; through layers that are read, each.

    Args:
        model: whatever weights are swapped in.
        stop: the wish to end it; None for nobody's.

    Raises:
        Cancelled: somebody wants it to end.
    """
    if stop is None:
        yield
        return
    # A pass that reads layer after layer takes long: there each layer asks.
    asking = [model.network, *(model.layers.modules if model.stream is not None else ())]
    hooks = [module.register_forward_pre_hook(lambda *_: stop.check()) for module in asking]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
