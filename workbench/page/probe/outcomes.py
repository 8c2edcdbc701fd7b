"""What became of a run's facts, a page at a time. Pure functions from data to HTML."""

from collections.abc import Sequence

from workbench.page.edit.missed import why_missed
from workbench.page.kit.html import heading, page_buttons, page_range, text
from workbench.page.probe.answers import marked
from workbench.store.runs import FactOutcome, Run
from workbench.work.words import count

__all__ = ["outcomes_card"]


def outcomes_card(
    run: Run,
    outcomes: Sequence[FactOutcome],
    learned: tuple[int, int],
    missed: bool,
    offset: int,
    total: int,
    page_size: int,
) -> str:
    """The facts of a run with the answers of base and run, and a question about each.

    Args:
        run: the run shown as after.
        outcomes: one page of its facts.
        learned: how many it learned, and of how many that is known.
        missed: whether only those not learned are shown.
        offset: how many come before this page.
        total: how many there are of those shown.
        page_size: most rows a page.
    """
    yes, known = learned
    summary = f"Run {run.id}: {yes:,} of {count(known, 'fact')} learned, strictly."
    head = heading("What became of the facts?", summary)
    if known and yes < known:
        head += (
            '<div class="segments narrow" role="group" aria-label="Which facts">'
            f"{_kind('all', 'All', not missed)}{_kind('missed', 'Not learned', missed)}</div>"
        )
    if not outcomes:
        return head + '<div class="empty">Every fact was learned.</div>'
    rows = "".join(_row(outcome) for outcome in outcomes)
    where = page_range(offset, len(outcomes), total)
    turn = page_buttons(offset, len(outcomes), total, page_size)
    return (
        f'{head}<div class="scroll"><table class="grid-table outcomes"><tr><th>prompt</th>'
        f"<th>base</th><th>run {run.id}</th></tr>{rows}</table></div>"
        f'<div class="foot"><span class="mono quiet">{where}</span>'
        f'<span class="pair">{turn}</span></div>'
    )


def _kind(name: str, label: str, chosen: bool) -> str:
    return (
        f'<button type="button" data-do="kind" data-kind="{name}" '
        f'aria-pressed="{"true" if chosen else "false"}">{label}</button>'
    )


def _row(outcome: FactOutcome) -> str:
    before = "–" if outcome.before is None else text(outcome.before or "(nothing)")
    after = "–"
    if outcome.after is not None:
        after = marked(outcome.before or "", outcome.after or "(nothing)")
    if outcome.learned is False:
        after += (
            f'<br><span class="quiet amber">wanted {text(outcome.target_new)}. '
            f"{why_missed(outcome)}</span>"
        )
    title = "Ask its prompt, rephrases and what must stay"
    ask = (
        f'<button type="button" class="btn small bare ask" data-do="ask" '
        f'data-fact="{outcome.fact}" title="{title}">Ask all its prompts</button>'
    )
    return f"<tr><td>{text(outcome.prompt)}<br>{ask}</td><td>{before}</td><td>{after}</td></tr>"
