"""A sweep in words and as a table: what it recommends and why, and every trial. Data to HTML."""

from collections.abc import Sequence

from workbench.page.kit.html import button, text
from workbench.search.recommend import Recommendation
from workbench.search.score import LocationScore
from workbench.work.words import share, small

__all__ = ["recommendation_card", "trials_table"]


def recommendation_card(found: Recommendation | None, chosen: tuple[str, ...]) -> str:
    """What the sweep speaks for.

    Args:
        found: None while there are no trials.
        chosen: the locations that are tuned next.
    """
    if found is None:
        return ""
    if chosen == (found.at,):
        use = '<span class="quiet">It is chosen.</span>'
    else:
        use = button(
            "Use recommended", "use", "primary", at=found.at, rate=repr(found.learning_rate)
        )
    noise = " Between them, take what you like or what is cheaper." if found.is_noise else ""
    return (
        '<div class="notice stack" id="recommendation"><div><b>Recommended: '
        f'<span class="mono">{text(found.at)}</span></b> <span class="quiet">score '
        f"{100 * found.score:.0f}, 90% between {100 * found.low:.0f} and {100 * found.high:.0f}"
        f"</span></div><p>{text(found.reason)}{noise}</p>{use}</div>"
    )


def trials_table(
    scores: Sequence[LocationScore], chosen: tuple[str, ...], preset: tuple[str, ...]
) -> str:
    """Every trial of a sweep, best first, full runs above; each is chosen with the keyboard too.

    Args:
        scores: the trials.
        chosen: the locations that are tuned next.
        preset: those of the model's preset.
    """
    if not scores:
        return ""
    several = len({score.learning_rate for score in scores}) > 1
    rate = '<th class="num">rate</th>' if several else ""
    ranked = sorted(scores, key=lambda score: -score.score)
    parts = {
        "Full runs": [score for score in ranked if score.is_full],
        "Short runs": [score for score in ranked if not score.is_full],
    }
    rows = ""
    for title, part in parts.items():
        if part and parts["Full runs"]:
            rows += f'<tr><th class="part" colspan="{7 if several else 6}">{title}</th></tr>'
        rows += "".join(_row(s, s.at in chosen, s.at in preset, several) for s in part)
    return (
        '<div class="scroll trials"><table class="grid-table"><tr><th>location</th>'
        f'{rate}<th class="num">score</th><th class="num">rel.</th><th class="num">gen.</th>'
        f'<th class="num">loc.</th><th class="num">KL</th></tr>{rows}</table></div>'
    )


def _row(score: LocationScore, is_chosen: bool, is_preset: bool, several: bool) -> str:
    pressed = "true" if is_chosen else "false"
    dot = ' <span class="quiet" title="the preset">•</span>' if is_preset else ""
    choose = (
        f'<button type="button" class="btn small bare mono" data-do="choose" '
        f'data-at="{text(score.at)}" aria-pressed="{pressed}">{text(score.at)}</button>{dot}'
    )
    rate = f'<td class="num">{small(score.learning_rate)}</td>' if several else ""
    low, high = 100 * score.low["score"], 100 * score.high["score"]
    return (
        f'<tr class="{"chosen" if is_chosen else ""}"><td>{choose}</td>{rate}'
        f'<td class="num" title="90% between {low:.0f} and {high:.0f}">{100 * score.score:.0f}</td>'
        f'<td class="num">{share(score.reliability)}</td>'
        f'<td class="num">{share(score.generalization)}</td>'
        f'<td class="num">{share(score.locality)}</td><td class="num">{small(score.kl)}</td></tr>'
    )
