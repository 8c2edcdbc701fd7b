"""What may be used when a model answers, as `workbench.model.answer_check` finds it. Plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from workbench.errors import ModelError

__all__ = ["Answering"]


@dataclass(frozen=True, slots=True)
class Answering:
    """What may be used when a model answers.

    Args:
        pads: whether prompts of different lengths may stand side by side.
        caches: whether the model's cache may be used.
        fallback: what may not, and why, for people to read; empty when both may.
        works: whether any way gives right answers.
    """

    pads: bool = True
    caches: bool = True
    fallback: str = ""
    works: bool = True

    def groups(self, rows: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
        """Prompts that may stand side by side: all of them, or those of one length each.

        Args:
            rows: the prompts' places.
            lengths: how many tokens each prompt has, by its place.

        Raises:
            ModelError: no way of answering is right.
        """
        if not self.works:
            raise ModelError(
                f"This model's {self.fallback}. Evaluate it by the strict protocol, which asks for "
                "no answers, or choose another model."
            )
        if self.pads:
            return [list(rows)]
        ordered = sorted(rows, key=lambda row: lengths[row])
        return [list(group) for _, group in groupby(ordered, key=lambda row: lengths[row])]
