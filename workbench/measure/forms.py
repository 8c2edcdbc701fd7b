"""The same questions in further forms, and how far the neighbours have moved from the base.

A fact that is learned as raw text may be unknown where people ask. So each question is judged
teacher-forced as a question and through the chat template, too. A neighbour, which is a locality
prompt, also tells in each form whether its likeliest first token stayed, and how far its
distribution of the next token went. Knows nothing about written answers.
"""

import math
from collections.abc import Container, Generator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jinja2 import TemplateError
from torch.nn import functional

from workbench.errors import ModelError
from workbench.facts.forms import AskedForm
from workbench.measure.paired import pairing
from workbench.measure.questions import Asked
from workbench.measure.strict import Forced, judged_texts
from workbench.measure.verdicts import FormVerdicts, Verdict
from workbench.model.forms import tokenize_as
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.tokens import TokenBatch, TokenizedText, TokenTable
from workbench.work.stop import Stop

__all__ = ["FormTexts", "Moved", "asked_forms", "comparing_forms", "moved_texts"]


def asked_forms(model: LanguageModel, named: Sequence[AskedForm]) -> tuple[AskedForm, ...]:
    """The forms besides raw in which questions are asked.

    Args:
        model: what is asked.
        named: those that people want; none are all that the model knows.

    Raises:
        ModelError: chat is named, and the model cannot be asked so.
    """
    if not named:
        return ("question",) if _why_no_chat(model) else ("question", "chat")
    problem = _why_no_chat(model) if "chat" in named else ""
    if problem:
        raise ModelError(
            f"'{model.name}' {problem}, so nothing can be asked in chat. Leave chat out of the "
            "forms asked, or choose a chat model."
        )
    return tuple(form for form in named if form != "raw")


def _why_no_chat(model: LanguageModel) -> str:
    """Why the model cannot be asked in chat; empty when it can."""
    if not getattr(model.tokenizer, "chat_template", None):
        return "has no chat template"
    try:
        tokenize_as(model.tokenizer, ["Who is there?"], ["Me"], "chat")
    except (ModelError, TemplateError, ValueError) as error:
        return f"has a chat template that cannot be used ({str(error).splitlines()[0]})"
    return ""


@dataclass(frozen=True, slots=True)
class Moved:
    """How the next token of a text changed.

    Args:
        first: whether the likeliest one is what it was.
        divergence: from the base's distribution to the edited model's, over the whole vocabulary,
            in nats; None where a model gives no numbers any more.
    """

    first: bool
    divergence: float | None


@dataclass(frozen=True)
class FormTexts:
    """Questions as they stand in forms.

    Args:
        model: what is asked.
        places: for each text the place of its question, its form, and whether it is judged
            against an answer.
        table: the texts.
    """

    model: LanguageModel
    places: tuple[tuple[int, AskedForm, bool], ...]
    table: TokenTable

    @classmethod
    def of(
        cls,
        model: LanguageModel,
        asked: Sequence[Asked],
        forms: Sequence[AskedForm],
        stand_ins: Sequence[str],
        chosen: Container[int],
    ) -> "FormTexts":
        """The questions in forms, and the raw neighbours; what is too long is left out.

        Args:
            model: what will be asked.
            asked: the questions.
            forms: the forms besides raw.
            stand_ins: for each fact an answer that stands where none is stated; it is not judged.
            chosen: the facts that are asked in the forms besides raw.
        """
        places: list[tuple[int, AskedForm, bool]] = []
        texts: list[TokenizedText] = []
        for form in ("raw", *forms):
            rows = [
                row
                for row, question in enumerate(asked)
                if (question.role == "locality" or (form != "raw" and question.wanted))
                and (form == "raw" or question.fact in chosen)
            ]
            found = tokenize_as(
                model.tokenizer,
                [asked[row].prompt for row in rows],
                [asked[row].wanted or stand_ins[asked[row].fact] for row in rows],
                form,
            )
            for row, text in zip(rows, found, strict=True):
                judged = form != "raw" and bool(asked[row].wanted)
                if not judged:
                    text = TokenizedText(text.prompt, text.target[:1])
                if model.longest is None or text.length <= model.longest:
                    places.append((row, form, judged))
                    texts.append(text)
        return cls(model, tuple(places), TokenTable(texts, model.device))

    def __len__(self) -> int:
        return len(self.places)


def comparing_forms(
    texts: FormTexts, asked: Sequence[Asked], patch: Patch | None, stop: Stop | None = None
) -> Generator[int, None, Mapping[int, tuple[FormVerdicts, ...]]]:
    """Judges questions in forms by the base and the edited model, in steps.

    Yields how many texts it just judged.

    Args:
        texts: the questions as they stand in forms.
        asked: the questions.
        patch: the edit; None judges the base alone.
        stop: the wish to end it, asked before every pass.

    Returns:
        What became of each question, by its place.

    Raises:
        Cancelled: somebody wanted it to end.
        PatchError: the patch belongs to another base.
    """
    if not len(texts):
        return {}
    neighbours = {
        place for place, (row, _, _) in enumerate(texts.places) if asked[row].role == "locality"
    }

    def look(
        rows: Sequence[int], batch: TokenBatch, before: torch.Tensor, after: torch.Tensor | None
    ) -> list[tuple[Forced, Forced | None, Moved | None]]:
        judged = judged_texts(before, batch)
        if after is None:
            return [(text, None, None) for text in judged]
        near = [place for place, row in enumerate(rows) if row in neighbours]
        moved = dict(zip(near, moved_texts(batch, near, before, after), strict=True))
        sides = zip(judged, judged_texts(after, batch), strict=True)
        return [(old, new, moved.get(place)) for place, (old, new) in enumerate(sides)]

    looked = yield from pairing(texts.model, texts.table, patch, look, stop)
    found: dict[int, list[FormVerdicts]] = {}
    for (row, form, judged), (before, after, moved) in zip(texts.places, looked, strict=True):
        verdicts = FormVerdicts(
            form,
            _verdict(before) if judged else Verdict(),
            _verdict(after) if judged else Verdict(),
            moved.first if moved is not None else None,
            moved.divergence if moved is not None else None,
        )
        found.setdefault(row, []).append(verdicts)
    return {row: tuple(verdicts) for row, verdicts in found.items()}


def moved_texts(
    batch: TokenBatch, places: Sequence[int], before: torch.Tensor, after: torch.Tensor
) -> list[Moved]:
    """How the token behind each of some prompts of a batch changed.

    Args:
        batch: prompts with targets.
        places: of the prompts in the batch.
        before, after: (targets, vocabulary) logits of the base and of the edited model.
    """
    sizes = batch.sum_by_text(torch.ones_like(batch.targets))
    firsts = (sizes.cumsum(0) - sizes)[list(places)]
    old, new = before[firsts], after[firsts]
    same = old.argmax(dim=-1) == new.argmax(dim=-1)
    far = functional.kl_div(
        new.log_softmax(dim=-1), old.log_softmax(dim=-1), reduction="none", log_target=True
    ).sum(dim=-1)
    return [
        Moved(first, max(0.0, value) if math.isfinite(value) else None)
        for first, value in zip(same.tolist(), far.tolist(), strict=True)
    ]


def _verdict(judged: Forced | None) -> Verdict:
    return Verdict() if judged is None else Verdict(judged.right, judged.share)
