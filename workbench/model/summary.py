"""What is told of a model that was loaded: its size, where it is, and where to tune it first.

The worker finds it out and a session keeps it, so that the page need not have the model. Plain
data; imports no torch.
"""

from dataclasses import dataclass

from workbench.model.places import Places
from workbench.model.presets import Preset

__all__ = ["ModelSummary"]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What people want to know of a model.

    Args:
        name: ``builtin``, a hub id, or a folder.
        architecture: the class of its network.
        layers: how many decoder layers it has.
        hidden_size: width of the hidden states.
        parameters: how many weights it has, tied ones counted once.
        memory_bytes: what they take.
        device: where its layers are.
        dtype: their dtype.
        states_kept: whether the hidden states below a tuned layer can be kept.
        fallback: why they cannot; empty when they can.
        matrices: names of the 2-D weights in a layer.
        chat: whether its tokenizer has a chat template.
        preset: the best-founded start for it.
        origin: what its weights were made from; empty when they were read as they are kept.
        notices: what people must know of how it was read from its files.
        answering: what slows its answers down; empty when nothing does.
        places: which matrices and experts there are in which layers.
        placement: where its layers live, where they are not all on the device; else empty.
        pass_seconds: what a pass takes in which layers are read, as measured when it was loaded; 0
            where none is.
    """

    name: str
    architecture: str
    layers: int
    hidden_size: int
    parameters: int
    memory_bytes: int
    device: str
    dtype: str
    states_kept: bool
    fallback: str
    matrices: tuple[str, ...]
    chat: bool
    preset: Preset
    origin: str = ""
    notices: tuple[str, ...] = ()
    answering: str = ""
    places: Places | None = None
    placement: str = ""
    pass_seconds: float = 0.0

    def answer_seconds(self, tokens: int, models: int = 1) -> float:
        """About how long the longest answers take, however many prompts share each pass.

        Args:
            tokens: most of an answer; each is a pass.
            models: how many are asked, one after another, such as the base and an edit.

        Returns:
            0 where no layer has to be read for it.
        """
        return self.pass_seconds * tokens * models

    @property
    def where(self) -> Places:
        """Its places; a session that an earlier version kept has every matrix in every layer."""
        if self.places is not None:
            return self.places
        return Places(self.layers, dict.fromkeys(self.matrices, tuple(range(self.layers))))
