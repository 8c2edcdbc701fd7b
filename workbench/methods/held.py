"""The most that a run holds at once: its phases, one by one, with what stays from those before.

What must stay is asked, then taken to the tuned layer, then its steps are found out how to spare;
then the facts are taken there; then come the steps. Whatever is counted here is what the run really
keeps and makes in that phase. Knows nothing about the weights of the model itself.
"""

import math
from collections.abc import Iterator, Sequence

from workbench.methods.batch_step import BatchStep
from workbench.methods.footprint import activation_bytes, pass_bytes, states_bytes
from workbench.methods.schedule import Schedule
from workbench.methods.sparing import inverting_bytes, sparing_bytes
from workbench.methods.together import Piece
from workbench.model.location import Location
from workbench.model.passes import passes_of

__all__ = ["most_held"]

WORKSPACE = {"cpu": 8_000_000}
"""What products of matrices and tokenizers work in, measured; elsewhere it is there before."""

LOOKED_AT = 48  # steps of a run
DRAWN = 50_000  # facts whose forms are drawn for that, at most


def most_held(step: BatchStep, schedule: Schedule, locations: Sequence[Location]) -> int:
    """The most bytes that a run holds at once beside the model.

    Args:
        step: what makes its updates.
        schedule: its batches.
        locations: where it is tuned.
    """
    return max(_phases(step, schedule, locations)) + WORKSPACE.get(step.model.device.type, 0)


def _phases(step: BatchStep, schedule: Schedule, locations: Sequence[Location]) -> Iterator[int]:
    """What is held in each phase."""
    model, tuned, keep, settings = step.model, step.tuned, step.keep, step.settings
    held = tuned.memory_bytes - tuned.gradient_bytes - tuned.moments_bytes
    spares = keep is not None and bool(settings.spare)
    if keep is not None:
        texts = range(keep.texts)
        yield held + keep.answering_bytes
        if step.kept_from:
            held += states_bytes(model, sum(keep.lengths(texts)))
            yield held + keep.passing_bytes
        held += keep.kept_bytes
        yield held + keep.sharing_bytes
    if keep is not None and spares:
        held += sparing_bytes(model, tuned.master)
        yield held + max(keep.passing_bytes, inverting_bytes(model, tuned.master))
    if step.kept_from:
        table = step.drawn.table
        own = step.own(range(len(table)))
        held += states_bytes(model, sum(map(table.length, own)))
        passes = passes_of(table, own, model.device)
        tokens = (len(rows) * max(map(table.length, rows)) for rows in passes)
        yield held + pass_bytes(model, max(tokens, default=0))
    held += tuned.moments_bytes
    yield held + tuned.gradient_bytes + tuned.update_bytes(spares)
    yield held + _backward_bytes(step, schedule, locations[0].layer)


def _backward_bytes(step: BatchStep, schedule: Schedule, layer: int) -> int:
    """What the largest piece of a step holds for its backward pass, of some of a run's steps."""
    most = 0
    for texts, kept in _steps(step, schedule):
        pieces = step.pieces(step.own(texts), step.ranks.own_part(kept))
        # The gradients of one piece wait for those of the next.
        waiting = step.tuned.gradient_bytes if len(pieces) > 1 else 0
        for piece in pieces:
            lengths, targets = _sizes(step, piece)
            tokens = len(lengths) * max(lengths)
            held = activation_bytes(step.model, layer, tokens, sum(targets))
            most = max(most, held + waiting)
    return most


def _steps(step: BatchStep, schedule: Schedule) -> Iterator[tuple[list[int], list[int]]]:
    """Some of a run's steps, evenly spread: their texts, and what must stay of which they remind.

    The first of them is as long as any can be, if each text is only seen in one form.
    """
    table, drawn = step.drawn.table, step.drawn
    if not drawn.many:
        longest = sorted(range(len(table)), key=table.length, reverse=True)
        yield longest[: schedule.batch_size], step.kept_now(schedule.batch_size, 0)
    total = schedule.epochs * schedule.batches_per_epoch
    looks = max(2, min(LOOKED_AT, DRAWN // schedule.facts))
    for number in range(0, total, math.ceil(total / looks)):
        epoch, cursor = divmod(number, schedule.batches_per_epoch)
        rows = schedule.rows(epoch, cursor)
        texts = drawn.texts(rows, schedule.turn(epoch, cursor), {})
        yield texts, step.kept_now(len(texts), number)


def _sizes(step: BatchStep, piece: Piece) -> tuple[list[int], list[int]]:
    """Tokens that are read, and that are answered, of each text of a piece."""
    table = step.drawn.table
    lengths = [table.length(text) for text in piece.texts]
    targets = [len(table.texts[text].target) for text in piece.texts]
    if step.keep is None:
        return lengths, targets
    return lengths + step.keep.lengths(piece.kept), targets + step.keep.targets(piece.kept)
