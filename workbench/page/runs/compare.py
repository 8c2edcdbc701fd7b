"""Two runs side by side. Pure functions from data to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.page.kit.html import button, heading, text
from workbench.page.probe.answers import marked
from workbench.page.runs.charts import two_curves
from workbench.page.runs.details import setting_words, took
from workbench.page.runs.measures import measures_of_two
from workbench.store.run_pair import Differences
from workbench.store.runs import Run
from workbench.work.words import count

__all__ = ["MOST_FACTS", "Comparison", "comparison_card"]

MOST_FACTS = 50
NOTHING = Differences(0, ())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs and where they differ.

    Args:
        first, second: the runs, the older one first.
        first_losses, second_losses: mean loss of each epoch.
        shared: how many facts both compiled with the same answer.
        learned_by_first, learned_by_second: facts that only this one learned.
        answers: facts to which their answers differ.
    """

    first: Run
    second: Run
    first_losses: Sequence[float] = ()
    second_losses: Sequence[float] = ()
    shared: int = 0
    learned_by_first: Differences = NOTHING
    learned_by_second: Differences = NOTHING
    answers: Differences = NOTHING


def comparison_card(view: Comparison) -> str:
    """Everything in which two runs differ."""
    first, second = view.first, view.second
    names = (first.name, second.name)
    times = ", ".join(f"{run.name} took {took(run)}" for run in (first, second))
    title = f"What differs between {first.name} and {second.name}?"
    sentence = f"They share {count(view.shared, 'fact')} with the same answer."
    close = button("Close", "close", "small bare")
    return (
        f'<div class="card stack"><div class="foot flat"><div>{heading(title, sentence)}</div>'
        f'{close}</div><div class="run-halves"><div>{_settings(first, second)}</div>'
        f"<div><h2>Loss</h2>{two_curves(view.first_losses, view.second_losses, names)}"
        f'<p class="quiet">{times}.</p></div></div>'
        f"<div><h2>Measures</h2>{measures_of_two(first, second)}</div>"
        f"{_facts(f'Learned only by {first.name}', view.learned_by_first, names)}"
        f"{_facts(f'Learned only by {second.name}', view.learned_by_second, names)}"
        f"{_facts('Answered differently', view.answers, names)}</div>"
    )


def _settings(first: Run, second: Run) -> str:
    pairs = {
        name: (value, second.settings.as_dict()[name])
        for name, value in first.settings.as_dict().items()
    }
    pairs = {"model": (first.model, second.model), "facts": (first.facts, second.facts), **pairs}
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if not differing:
        return '<h2>Settings</h2><p class="quiet">Every setting is the same.</p>'
    body = "".join(
        f"<tr><td>{text(name.replace('_', ' '))}</td>"
        + "".join(f'<td class="num">{text(setting_words(value))}</td>' for value in pair)
        + "</tr>"
        for name, pair in differing.items()
    )
    return (
        f'<h2>Settings that differ</h2><table class="grid-table">{_head(first, second)}{body}'
        "</table>"
    )


def _head(first: Run, second: Run) -> str:
    return (
        f'<tr><th></th><th class="num first">{first.name}</th>'
        f'<th class="num second">{second.name}</th></tr>'
    )


def _facts(title: str, found: Differences, names: tuple[str, str]) -> str:
    if not found.number:
        return f'<p class="quiet">{text(title)}: no fact.</p>'
    body = "".join(
        f"<tr><td>{text(fact.prompt)}</td><td>{text(fact.target_new)}</td>"
        f"<td>{_answer(fact.first)}</td><td>{_second(fact.first, fact.second)}</td></tr>"
        for fact in found.facts
    )
    more = found.number - len(found.facts)
    rest = f'<p class="quiet">and {more:,} more</p>' if more > 0 else ""
    return (
        f'<div><h2>{text(title)}: {count(found.number, "fact")}</h2><div class="scroll tall">'
        '<table class="grid-table compared"><tr><th>prompt</th><th>wanted</th>'
        f"<th>{names[0]}</th><th>{names[1]}</th></tr>{body}</table></div>{rest}</div>"
    )


def _answer(answer: str | None) -> str:
    return "–" if answer is None else text(answer or "(nothing)")


def _second(first: str | None, second: str | None) -> str:
    if first is None or second is None:
        return _answer(second)
    return marked(first, second or "(nothing)")
