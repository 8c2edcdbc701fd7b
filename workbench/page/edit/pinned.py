"""How the answers to pinned prompts change from epoch to epoch. Pure functions, data to HTML."""

import itertools
from collections.abc import Sequence

from workbench.page.kit.html import text
from workbench.store.probes import PinnedAnswer

__all__ = ["pinned_table"]

SHOWN_CHANGES = 6  # of one prompt; the first is the base, the last is what it says now


def pinned_table(answers: Sequence[PinnedAnswer]) -> str:
    """Each pinned prompt with what it was answered, and from which epoch on.

    Args:
        answers: by probe, then by epoch.
    """
    if not answers:
        return ""
    by_probe = itertools.groupby(answers, key=lambda answer: answer.probe)
    rows = "".join(_row(list(said)) for _, said in by_probe)
    return (
        "<div><h2>What do the pinned prompts say?</h2><p class='quiet'>Each answer with the epoch "
        "at whose end it was first given; epoch 0 is the base.</p><div class='scroll'>"
        f"<table class='grid-table pinned'>{rows}</table></div></div>"
    )


def _row(said: list[PinnedAnswer]) -> str:
    changes = [next(group) for _, group in itertools.groupby(said, key=lambda answer: answer.text)]
    left_out = max(0, len(changes) - SHOWN_CHANGES)
    shown = [changes[0], *changes[1 + left_out :]]
    trail = []
    for place, answer in enumerate(shown):
        gap = " … →" if place == 1 and left_out else " →" if place else ""
        last = place == len(shown) - 1 and place > 0
        words = text(answer.text or "(nothing)")
        trail.append(
            f"{gap} <span class='mono quiet'>{answer.epoch}</span> "
            + (f"<mark>{words}</mark>" if last else words)
        )
    return f"<tr><td>{text(said[0].prompt)}</td><td>{''.join(trail)}</td></tr>"
