"""The loss of plain text as plain data. Knows nothing about models."""

from dataclasses import dataclass

__all__ = ["TextLoss"]


@dataclass(frozen=True, slots=True)
class TextLoss:
    """The loss of plain text.

    Args:
        before, after: mean loss of a token, in nats; None where it was not, or cannot be, measured.
        text: which text it is, for people; empty where none was read.
    """

    before: float | None = None
    after: float | None = None
    text: str = ""
