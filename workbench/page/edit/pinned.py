"""How the answers to pinned prompts change from epoch to epoch. Pure functions, data to HTML."""

import itertools
from collections.abc import Sequence

from markupsafe import Markup

from workbench.store.probes import PinnedAnswer
from workbench.work.templates import render

__all__ = ["pinned_table"]

SHOWN_CHANGES = 6  # of one prompt; the first is the base, the last is what it says now


def pinned_table(answers: Sequence[PinnedAnswer]) -> Markup:
    """Each pinned prompt with what it was answered, and from which epoch on.

    Args:
        answers: by probe, then by epoch.
    """
    if not answers:
        return Markup()
    by_probe = [list(said) for _, said in itertools.groupby(answers, key=lambda said: said.probe)]
    rows = [(said[0].prompt, _trail(said)) for said in by_probe]
    return render("page/edit/pinned.html", rows=rows)


def _trail(said: Sequence[PinnedAnswer]) -> list[tuple[str, PinnedAnswer, bool]]:
    """The answers that changed: what stands before each, the answer, whether it is the last."""
    changes = [next(group) for _, group in itertools.groupby(said, key=lambda answer: answer.text)]
    left_out = max(0, len(changes) - SHOWN_CHANGES)
    shown = [changes[0], *changes[1 + left_out :]]
    trail = []
    for place, answer in enumerate(shown):
        gap = " … →" if place == 1 and left_out else " →" if place else ""
        trail.append((gap, answer, place == len(shown) - 1 and place > 0))
    return trail
