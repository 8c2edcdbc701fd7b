"""A method that somebody else brings: one file, one entry in the table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from workbench.methods.base import Method
from workbench.methods.events import EpochDone, Finished, Started
from workbench.methods.method_settings import MethodSettings
from workbench.methods.run import Run
from workbench.work.events import Event
from workbench.work.settings import setting


@dataclass(frozen=True, slots=True)
class ToySettings(MethodSettings):
    scale: float = setting(0.5, "How much of the last norm stays.", label="Scale of the norm")


class ToyRun(Run):
    method = "toy"
    settings: Any

    def plan(self) -> Started:
        return Started(len(self.facts), ("7.input_layernorm",), 0.0, 1, 1, 1, 256, 1024, 0)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        base = self.model.network.get_parameter("model.layers.7.input_layernorm.weight")
        return {"model.layers.7.input_layernorm.weight": base * self.settings.scale}

    def events(self) -> Iterator[Event]:
        yield self.plan()
        yield EpochDone(1, 1, 1.0, 0.0, 0.1)
        yield Finished("epochs", 1, 1, 0.1, (1.0,))


TOY = Method("toy", "Toy", "Scales one norm.", "this test", ToySettings, ToyRun)
