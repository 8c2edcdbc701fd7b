"""The rows of a stress's table: how each kind of question is asked, and what counts in it."""

from dataclasses import dataclass

from workbench.measure.stress_settings import Probe

__all__ = ["ROWS", "RowKind"]


@dataclass(frozen=True, slots=True)
class RowKind:
    """A row of the table.

    Args:
        name: of the row.
        probe: what it belongs to.
        label: what people call it.
        help: how it is asked, and what counts.
        better: whether more is better after an edit; False where less is.
    """

    name: str
    probe: Probe
    label: str
    help: str
    better: bool = True


ROWS: dict[str, RowKind] = {
    kind.name: kind
    for kind in (
        RowKind(
            "plain",
            "judged",
            "free answer, prompt alone",
            "The prompt goes on until the model stops; the new answer stands in what it writes, or "
            "the judge says that it means the same.",
        ),
        RowKind(
            "framed",
            "judged",
            "free answer, as a question",
            "The same through the chat template, or behind 'Question:' where there is none.",
        ),
        RowKind(
            "system",
            "judged",
            "free answer, with a system prompt",
            "The same in a chat that begins with a short system prompt, where the model's template "
            "takes one.",
        ),
        RowKind(
            "stops",
            "judged",
            "free answers that stop",
            "The share of the free answers without a system prompt that came to their end by "
            "themselves.",
        ),
        RowKind(
            "true_new",
            "belief",
            "is it true? the new answer",
            "'Is it true that …?' with the new answer: yes is likelier than no.",
        ),
        RowKind(
            "true_old",
            "belief",
            "is it true? the old answer",
            "'Is it true that …?' with the old answer: no is likelier than yes.",
        ),
        RowKind(
            "rather_new",
            "belief",
            "truer with the new answer",
            "Yes gains more on no with the new answer than with the old one, whatever the model "
            "likes to say.",
        ),
        RowKind(
            "choice",
            "choice",
            "multiple choice",
            "Of the new answer, the old one and those of other facts (four where there are so "
            "many), the new one is the likeliest text behind the question, by the mean "
            "log-probability of its tokens. The choices are not listed in it.",
        ),
        RowKind(
            "choice_old",
            "choice",
            "multiple choice, the old answer",
            "The old answer is chosen instead; less is better.",
            better=False,
        ),
        RowKind(
            "reverse",
            "reverse",
            "in reverse",
            "The new answer stands in the sentence, the subject is left out, and is named.",
        ),
        RowKind(
            "reverse_choice",
            "reverse",
            "in reverse, of several subjects",
            "The subject's text is likelier than those of other facts' subjects.",
        ),
        RowKind(
            "two_hops",
            "two_hops",
            "two hops",
            "The facts' portability prompts as questions: the answer that follows from the new "
            "fact stands in what is written, or the judge says that it means the same.",
        ),
    )
}
"""Every row by its name, in the order of the table."""
