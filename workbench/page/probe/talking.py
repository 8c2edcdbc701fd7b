"""How a conversation looks that several sides answer. Pure functions from data to HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.page.probe.answers import marked
from workbench.page.runs.order import run_words
from workbench.store.runs import Run
from workbench.store.talks import BASE, MOST_RUNS, Talk, Turn
from workbench.work.templates import render

__all__ = ["talk_setup", "transcript"]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one side says to a turn.

    Args:
        side: who; empty for the base.
        label: the same in words.
        text: as HTML, with the words marked that the base does not have there.
        plain: the answer alone; empty until it is whole.
    """

    side: str
    label: str
    text: str
    plain: str


def talk_setup(
    talk: Talk | None,
    runs: Sequence[Run],
    has_chat: bool,
    begun: bool,
    names: Mapping[int, str] | None = None,
) -> Markup:
    """Who answers, and how they are asked.

    Args:
        talk: the conversation; None before the first.
        runs: finished ones on the model, newest first.
        has_chat: whether the model has a chat template.
        begun: whether anything was said.
        names: that people gave to runs.
    """
    chosen = () if talk is None else talk.runs
    return render(
        "page/probe/talk_setup.html",
        runs=[(run.id, run_words(run, names or {}), run.id in chosen) for run in runs],
        full=len(chosen) >= MOST_RUNS,
        most=MOST_RUNS,
        chat=has_chat if talk is None else talk.chat,
        has_chat=has_chat,
        system="" if talk is None else talk.system,
        begun=begun,
    )


def transcript(talk: Talk | None, turns: Sequence[Turn], waiting: str = "") -> Markup:
    """What was said, with the answers of all sides beside each other.

    Args:
        talk: the conversation; None before the first.
        turns: what was said in it.
        waiting: what stands in place of answers that are not there yet.
    """
    rows = [] if talk is None else [(turn, _answers(talk, turn, waiting)) for turn in turns]
    return render("page/probe/transcript.html", rows=rows)


def _answers(talk: Talk, turn: Turn, waiting: str) -> list[_Said]:
    base = turn.answers.get(BASE)
    said = []
    for side in talk.sides:
        answer = turn.answers.get(side)
        words = answer.text.strip() if answer is not None else ""
        if answer is None:
            partial = turn.partial.get(side, "")
            words = f"{partial} …" if partial else waiting or "…"
        shown = words or "(nothing)"
        differs = side != BASE and base is not None and (answer is not None or side in turn.partial)
        text = marked(base.text.strip(), shown) if differs and base is not None else shown
        label = "base" if side == BASE else f"run {side}"
        said.append(_Said(side, label, text, words if answer is not None else ""))
    return said
