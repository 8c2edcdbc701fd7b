"""How likely a model finds each of some answers to a question, as it is now.

An answer stands where the model would write it, behind the frame of a question; its end does not
count, so that a model that would go on is not punished. Knows nothing about right and wrong.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from workbench.facts.fact import Fact
from workbench.facts.forms import Form
from workbench.model.forms import tokenize_form
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import kept_logits, settling
from workbench.model.tokens import TokenizedText, TokenTable
from workbench.work.events import mapped

__all__ = ["Likelihood", "answer_texts", "likelihoods", "question_form"]

TOKENS_PER_PASS = 4096


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely one answer is.

    Args:
        total: the log-probability of all its tokens.
        tokens: how many there are.
    """

    total: float
    tokens: int

    @property
    def mean(self) -> float:
        """The log-probability of a token, by which answers of different lengths compare."""
        return self.total / self.tokens


def question_form(model: LanguageModel) -> Form:
    """The frame in which a model is asked: its chat template, or "Question:" where it has none."""
    return "chat" if getattr(model.tokenizer, "chat_template", None) else "question"


def answer_texts(
    model: LanguageModel, questions: Sequence[str], answers: Sequence[str]
) -> list[TokenizedText]:
    """Each question in its frame with one answer to it, without what ends it."""
    pairs = [Fact(*pair) for pair in zip(questions, answers, strict=True)]
    found = tokenize_form(model.tokenizer, pairs, question_form(model), None)
    return [
        TokenizedText(text.prompt, text.target[:-1] if len(text.target) > 1 else text.target)
        for text in found
    ]


def likelihoods(
    model: LanguageModel, texts: Sequence[TokenizedText]
) -> Generator[int, None, list[Likelihood]]:
    """Asks the model as it is now, in steps: yields how many texts are done so far.

    Args:
        model: with whatever weights are swapped in.
        texts: see `answer_texts`.

    Raises:
        MemoryShortage: not even one text fits.
    """
    if not texts:
        return []
    table = TokenTable(texts, model.device)
    states = yield from mapped(settling(model, table, None), lambda way: 0)

    @torch.no_grad()
    def ask(rows: Sequence[int]) -> list[Likelihood]:
        batch = table.batch(rows)
        losses = functional.cross_entropy(
            kept_logits(model, batch, rows, states), batch.targets, reduction="none"
        )
        totals = (-batch.sum_by_text(losses)).tolist()
        return [
            Likelihood(total, len(texts[row].target))
            for row, total in zip(rows, totals, strict=True)
        ]

    order = sorted(range(len(texts)), key=table.length)
    size = max(1, TOKENS_PER_PASS // table.length(order[-1]))
    found: dict[int, Likelihood] = {}
    for rows, batch in in_batches(order, size, model.device, ask):
        found.update(zip(rows, batch, strict=True))
        yield len(found)
    return [found[row] for row in range(len(texts))]
