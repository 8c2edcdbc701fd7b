"""How an evaluation looks on the page. Pure functions from data to HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.measure.protocols import FORM_WORDS
from workbench.measure.report.pieces import (
    ROLES,
    capability_table,
    group_tables,
    health_table,
    measure_tables,
)
from workbench.measure.verdicts import FormVerdicts, QuestionVerdicts, Verdict
from workbench.page.evaluate.usual import usual_numbers
from workbench.page.probe.answers import marked
from workbench.store.evaluations import KeptEvaluation, KeptQuestion, Show
from workbench.work.templates import render

__all__ = ["SHOWS", "failures_card", "further_cards", "measures_card"]

SHOWS: dict[Show, str] = {
    "failed": "Failed",
    "prompt": "Prompts",
    "rephrase": "Rephrases",
    "locality": "Must stay",
    "portability": "Follows",
    "all": "All",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A question with what is put into words for it."""

    question: QuestionVerdicts
    fact: int
    role: str
    wanted: str
    after: str
    verdict: list[str]


def measures_card(
    kept: KeptEvaluation, links: Markup, others: Sequence[KeptEvaluation] = ()
) -> Markup:
    """The measures, a table for each protocol.

    Args:
        kept: the evaluation.
        links: where it can be downloaded, as HTML.
        others: evaluations of other runs of the model, one of each; they say what is usual.
    """
    usual = usual_numbers(other.report["evaluation"] for other in others)
    evaluation = kept.report["evaluation"]
    what = "the base alone" if kept.run is None else f"run {kept.run}"
    lead = f"{what}: {evaluation['sentence']}"
    return render(
        "page/evaluate/measures.html",
        lead=lead[0].upper() + lead[1:],
        links=links,
        tables=measure_tables(
            evaluation, {name: found.words for name, found in usual.items()}, linked=True
        ),
    )


def further_cards(kept: KeptEvaluation) -> Markup:
    """What else was measured, each part under its question."""
    report = kept.report
    parts: list[tuple[str, str, Markup]] = []
    if groups := report["evaluation"]["groups"]:
        sentence = "Groups of facts, with 90% intervals."
        parts.append(("Where does it work?", sentence, group_tables(groups)))
    if "health" in report:
        parts.append(("Does it still write well?", "", health_table(report["health"])))
    if "capability" in report:
        parts.append(("What else can it still do?", "", capability_table(report["capability"])))
    return render("page/evaluate/further.html", parts=parts)


def failures_card(
    rows: Sequence[KeptQuestion],
    counts: Mapping[str, int],
    show: Show,
    words: str,
    offset: int,
    total: int,
    page_size: int,
    edited: bool,
) -> Markup:
    """Questions one by one, failures first, each with a way to ask its fact on Probe.

    Args:
        rows: one page of them.
        counts: how many there are of each kind.
        show: which are shown.
        words: what they were searched for.
        offset: how many come before this page.
        total: how many are found.
        page_size: most rows a page.
        edited: whether there is an "after".
    """
    return render(
        "page/evaluate/failures.html",
        rows=[_row(row, edited) for row in rows],
        counts=counts,
        shows=[
            (name, f"{label} {counts.get(name, 0):,}")
            for name, label in SHOWS.items()
            if counts.get(name) or name == show
        ],
        show=show,
        words=words,
        offset=offset,
        total=total,
        page_size=page_size,
        edited=edited,
    )


def _row(row: KeptQuestion, edited: bool) -> _Row:
    found = row.verdicts
    after = "–"
    if edited and found.said_after is not None:
        after = marked(found.said_before or "", found.said_after or "(nothing)")
    return _Row(
        question=found,
        fact=row.fact,
        role=ROLES[found.role],
        wanted="as before" if found.role == "locality" and edited else found.wanted or "–",
        after=after,
        verdict=_verdict(found, edited),
    )


def _verdict(found: QuestionVerdicts, edited: bool) -> list[str]:
    """Each protocol's judgement in words."""
    verdict = found.after if edited else found.before
    if found.role != "locality":
        lines = [_judged("", verdict)]
    elif edited:
        lines = [_judged("unchanged: ", found.unchanged), _judged("right: ", verdict)]
    else:
        lines = [_judged("right: ", verdict)]
    lines += [_in_form(form, edited) for form in found.forms]
    return [line for line in lines if line] or ["not judged"]


def _in_form(found: FormVerdicts, edited: bool) -> str:
    """What became of a question in a form, in words; empty where it says nothing more."""
    said = [_judged("", found.after if edited else found.before)]
    if found.first is not None:
        said.append("first token as before" if found.first else "another first token")
    if found.divergence is not None:
        said.append(f"KL {found.divergence:.2f}")
    parts = ", ".join(part for part in said if part)
    lead = "" if found.form == "raw" else f"{FORM_WORDS[found.form]}: "
    return lead + parts if parts else ""


def _judged(lead: str, verdict: Verdict) -> str:
    judged = (("strict", verdict.strict), ("generated", verdict.generated))
    parts = [f"{name} {'yes' if is_so else 'no'}" for name, is_so in judged if is_so is not None]
    if verdict.token is not None:
        parts.append(f"token {verdict.token:.2f}")
    return lead + ", ".join(parts) if parts else ""
