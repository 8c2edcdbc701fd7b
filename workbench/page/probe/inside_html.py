"""How the inside of a model looks: curves over the layers, weighed words, tokens. Data to HTML."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from workbench.model.inside_record import Curve, Inside, ShownText, Word
from workbench.model.location import Location
from workbench.work.templates import render

__all__ = ["FORM_NAMES", "inside_card", "tokens_card"]

FORM_NAMES = {"raw": "as it is", "question": "as a question", "chat": "in chat"}
SIDE = 100.0  # of the picture's coordinates, which are stretched to its place
LEAST = 1e-6  # probabilities below it stand at the foot of the picture
MOST_TEXTS = 32  # of a batch that are shown at once
FAINTEST = 0.04  # under this share of the largest, a word has no colour


@dataclass(frozen=True, slots=True)
class _Line:
    """One curve with its last value."""

    name: str
    kind: str
    path: str
    now: float
    shares: tuple[float, ...]


def inside_card(inside: Inside) -> Markup:
    """How likely the answers are after each layer, and which words speak for the new one.

    Args:
        inside: what was seen.
    """
    lines = [line for number, curve in enumerate(inside.curves) for line in _lines(curve, number)]
    steps = len(lines[0].shares) if lines else 0
    layers = sorted({Location.parse(at).layer for at in inside.at})
    rows = [
        ("before" if step == 0 else str(step - 1), [line.shares[step] for line in lines])
        for step in range(steps)
    ]
    return render(
        "page/probe/inside.html",
        inside=inside,
        lines=lines,
        layers=steps - 1,
        tuned=[(layer, SIDE * (layer + 1) / max(1, steps - 1)) for layer in layers],
        rows=rows,
        words=_word_rows(inside.words, inside.run),
    )


def tokens_card(texts: Sequence[ShownText], prompts: Sequence[str] = (), lead: str = "") -> Markup:
    """Facts as tokens, those marked that are trained to be said.

    Args:
        texts: one fact in its forms, or those of a batch.
        prompts: of a batch, the prompt of each text's fact.
        lead: a sentence above them.
    """
    return render(
        "page/probe/tokens.html",
        texts=[
            (
                FORM_NAMES.get(text.form, text.form)
                + (", with a system prompt" if text.system else ""),
                prompts[place] if place < len(prompts) else "",
                text,
            )
            for place, text in enumerate(texts[:MOST_TEXTS])
        ],
        left=max(0, len(texts) - MOST_TEXTS),
        lead=lead,
    )


def _lines(curve: Curve, number: int) -> list[_Line]:
    name = f"{curve.label} “{curve.answer}”"
    found = [_line(f"{name}, base", f"answer-{number} base", curve.before)]
    if curve.after:
        found.append(_line(f"{name}, with the run", f"answer-{number}", curve.after))
    return found


def _line(name: str, kind: str, shares: tuple[float, ...]) -> _Line:
    last = max(1, len(shares) - 1)
    places = [f"{SIDE * step / last:.2f} {_height(share):.2f}" for step, share in enumerate(shares)]
    return _Line(name, kind, "M" + " L".join(places), shares[-1], shares)


def _height(share: float) -> float:
    """Where a probability stands, on a scale of its logarithm."""
    return SIDE * math.log10(min(1.0, max(LEAST, share))) / math.log10(LEAST)


def _word_rows(
    words: Sequence[Word], run: int | None
) -> list[tuple[str, list[tuple[str, str, int, str]]]]:
    """For the base and the run: each word, whether it speaks for or against, how much."""
    sides = [("base", [word.before for word in words])]
    if any(word.after is not None for word in words):
        sides.append((f"run {run}", [word.after or 0.0 for word in words]))
    return [
        (
            label,
            [
                (
                    word.text,
                    "" if abs(part) < FAINTEST else "for" if part > 0 else "against",
                    round(min(100.0, 100 * abs(part))),
                    f"{part:+.2f}",
                )
                for word, part in zip(words, parts, strict=True)
            ],
        )
        for label, parts in sides
        if words
    ]
