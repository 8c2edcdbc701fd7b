"""Why a run did not learn a fact, as far as its answers and its end tell. Pure functions."""

from collections.abc import Sequence

from workbench.facts.answers import plain_answer
from workbench.store.runs import FactOutcome, Run

__all__ = ["what_helps", "why_missed"]


def why_missed(outcome: FactOutcome) -> str:
    """One sentence about a fact that was not learned, strictly.

    Args:
        outcome: the fact, with its answers if they are known.
    """
    if outcome.after is None:
        return "Not every token of the answer is the likeliest."
    said, wanted = plain_answer(outcome.after), plain_answer(outcome.target_new)
    if said == wanted:
        return "Said rightly but for capitals, marks or what follows the answer."
    if not said:
        return "Says nothing."
    if said.startswith(wanted):
        return "Says it, and then goes on."
    if outcome.before is not None and said == plain_answer(outcome.before):
        return "Still says what the base says."
    if set(said.split()) & set(wanted.split()):
        return "Says a part of it."
    return "Says something else."


def what_helps(run: Run, learned_last: Sequence[float]) -> str:
    """What to change when facts were not learned.

    Args:
        run: the finished run.
        learned_last: the share learned at the end of each epoch.
    """
    if run.outcome.get("reason") == "enough":
        return "You ended the run: start it again and let it go on for longer."
    if not hasattr(run.settings, "epochs"):
        return (
            "This method goes over each fact once: try other settings of it, such as other places, "
            "or another method."
        )
    used_up = run.outcome.get("reason") == "epochs"
    rising = len(learned_last) > 4 and learned_last[-1] > learned_last[-len(learned_last) // 4 - 1]
    if used_up and rising:
        return "The share learned was still rising when the epochs ran out: give it more epochs."
    if used_up:
        return (
            "The share learned no longer rose: try a whole layer or another one, a smaller batch, "
            "or half the learning rate; and look for facts that contradict each other."
        )
    return (
        "The run ended because its mean loss fell under the stop rule: lower it (stop loss and "
        "skip loss) to go on for the last facts."
    )
