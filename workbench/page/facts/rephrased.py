"""What the model wrote in other words, on the Facts tab: for a person to tick, take or dismiss."""

from collections.abc import Sequence

import gradio as gr
from markupsafe import Markup

from workbench.methods.rephrased import Rephrased, passed
from workbench.page.kit.html import detail, live_html
from workbench.page.kit.page import PROGRESS, Page
from workbench.page.kit.profile_html import open_job
from workbench.store import Store
from workbench.store.jobs import Job
from workbench.work.templates import render
from workbench.work.words import count

__all__ = ["add_rephrased", "rephrased_card"]

SHOWN = 20  # facts; the others come when these are taken or dismissed


def add_rephrased(page: Page) -> None:
    """Builds the place, which is empty while there is nothing to choose."""
    card = live_html(name="rephrased")
    said = gr.Textbox("", visible="hidden", container=False)
    page.show(_draw, card, of=("jobs", "settings", PROGRESS), inputs=[said])
    page.action(card.act, _act, [said], said)


def _draw(store: Store, said: str) -> Markup:
    return rephrased_card(open_job(store, "rephrase"), store.rephrasings.all(), said)


def _act(store: Store, said: str, event: gr.EventData) -> str:
    asked = detail(event)
    if asked["do"] == "cancel":
        store.jobs.cancel(int(asked["job"]))
    elif asked["do"] == "tick":
        store.rephrasings.tick(int(asked["fact"]), str(asked["text"]), bool(asked["value"]))
    elif asked["do"] == "tick-passed":
        store.rephrasings.tick_passed()
    elif asked["do"] == "dismiss":
        # Those that were seen: the worker may have added others since.
        store.rephrasings.dismiss({int(fact) for fact in str(asked["facts"]).split()})
    elif asked["do"] == "accept":
        return _accepted(*store.rephrasings.accept())
    return ""


def _accepted(added: int, left_out: int) -> str:
    if not left_out:
        return f"{count(added, 'wording')} added to what may be trained."
    return (
        f"{count(added, 'wording')} added to what may be trained; {left_out:,} left out, for the "
        "fact is another one by now, or a fact is measured by those words."
    )


def rephrased_card(job: Job | None, found: Sequence[Rephrased], said: str = "") -> Markup:
    """What was written, the facts first of which something passed; empty while there is nothing.

    Args:
        job: the one that writes, or waits to; None for none.
        found: what was written until now.
        said: what became of the ones taken last; empty for nothing.
    """
    if job is None and not found and not said:
        return Markup()
    written = [each for each in found if each.wordings]
    written.sort(key=lambda each: not passed([each]))
    wordings = [one for each in written for one in each.wordings]
    return render(
        "page/facts/rephrased.html",
        job=job,
        facts=written[:SHOWN],
        left=max(0, len(written) - SHOWN),
        silent=len(found) - len(written),
        wordings=len(wordings),
        passed=passed(written),
        ticked=sum(one.ticked for one in wordings),
        asked=bool(found),
        said=said,
    )
