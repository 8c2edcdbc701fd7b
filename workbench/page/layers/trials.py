"""A sweep in words and as a table: what it recommends and why, and every trial. Data to HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from workbench.search.recommend import Recommendation
from workbench.search.score import LocationScore
from workbench.work.templates import render

__all__ = ["recommendation_card", "trials_table"]

# Those that stand beside reliability, generalization and locality, where they were taken.
MEASURES = (("question", "quest."), ("chat", "chat"), ("neighbours", "neigh."), ("text", "text"))


def recommendation_card(
    found: Recommendation | None, chosen: tuple[str, ...], rate: float | None = None
) -> Markup:
    """What the sweep speaks for.

    Args:
        found: None while there are no trials.
        chosen: the locations that are tuned next.
        rate: of the run that is next, where several were tried; None where one was.
    """
    if found is None:
        return Markup()
    return render(
        "page/layers/recommendation.html",
        found=found,
        is_chosen=chosen == (found.at,) and rate in (None, found.learning_rate),
        rate=repr(found.learning_rate),
        several=rate is not None,
    )


def trials_table(
    scores: Sequence[LocationScore], chosen: tuple[str, ...], preset: tuple[str, ...]
) -> Markup:
    """Every trial of a sweep, best first, longer runs above; each is chosen with the keyboard too.

    Args:
        scores: the trials.
        chosen: the locations that are tuned next.
        preset: those of the model's preset.
    """
    if not scores:
        return Markup()
    ranked = sorted(scores, key=lambda score: -score.score)
    full = [score for score in ranked if score.is_full]
    short = [score for score in ranked if not score.is_full]
    parts = [("Full runs", full), ("Short runs", short)] if full else [("", short)]
    if len({score.facts for score in scores}) > 1:
        sizes = sorted({(score.facts, score.limit) for score in scores}, reverse=True)
        parts = [
            (
                f"{facts} facts, at most {limit} passes",
                [score for score in ranked if (score.facts, score.limit) == (facts, limit)],
            )
            for facts, limit in sizes
        ]
    return render(
        "page/layers/trials.html",
        parts=[part for part in parts if part[1]],
        several=len({score.learning_rate for score in scores}) > 1,
        measures=[pair for pair in MEASURES if getattr(scores[0], pair[0]) is not None],
        chosen=chosen,
        preset=preset,
    )
