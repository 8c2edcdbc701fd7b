"""How answers look: two halves of one card, before and after. Pure functions from data to HTML."""

import difflib
import re
from dataclasses import dataclass

from workbench.page.kit.html import button, pill, text
from workbench.store.probes import Answered, ProbeRow

__all__ = ["Sides", "answer_card", "marked", "sides_of"]

ROLES = {
    "prompt": "prompt",
    "rephrase": "rephrase",
    "locality": "must stay",
    "portability": "follows",
}

Sides = tuple[int | None, int | None]
"""The runs that "before" and "after" are; None for the base."""


@dataclass(frozen=True, slots=True)
class _Half:
    """One side of a card: its heading and what stands under it."""

    kind: str
    run: int | None
    said: str

    @property
    def label(self) -> str:
        return f"{self.kind} · {'base' if self.run is None else f'run {self.run}'}"


def marked(before: str, after: str) -> str:
    """The answer after as HTML, with the words marked that the one before does not have there."""
    old, new = _words(before), _words(after)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    pieces = []
    for kind, _, _, start, end in matcher.get_opcodes():
        piece = text("".join(new[start:end]))
        if kind == "equal" or not piece.strip():
            pieces.append(piece)
        else:
            pieces.append(f"<mark>{piece}</mark>")
    # One mark over neighbouring words is calmer than one for each.
    return re.sub(r"</mark>(\s+)<mark>", r"\1", "".join(pieces))


def _words(answer: str) -> list[str]:
    """Words, blanks and marks apart, so that joining them gives the answer again."""
    return re.findall(r"\w+|\s+|[^\w\s]", answer)


def sides_of(probe: ProbeRow, now: Sides) -> Sides:
    """What a probe's halves are: what answered it, else what is going to."""
    return (probe.before_run, probe.run) if probe.before is not None else now


def answer_card(card: tuple[ProbeRow, ...], now: Sides, waiting: str = "") -> str:
    """One prompt with its answers, or all prompts of a fact with theirs.

    Args:
        card: the prompts.
        now: what before and after are now.
        waiting: what to say in place of answers that are not there yet.
    """
    first = card[0]
    sides = sides_of(first, now)
    body = _free(first, sides, waiting) if not first.role else _about_fact(card, sides, waiting)
    return f'<article class="answer">{_head(first, sides != now)}{body}</article>'


def _head(probe: ProbeRow, is_old: bool) -> str:
    how = "through the chat template" if probe.chat else "raw prompt"
    if probe.role:
        how = "a fact with its rephrases and what must stay"
    pinned = pill("pinned", "on") if probe.pinned else ""
    buttons = ""
    if probe.before is not None:
        kind = "small" if is_old else "small bare"
        buttons = button("Ask again", "again", kind, probe=probe.id)
    if not probe.role:
        pin = "Unpin" if probe.pinned else "Pin"
        buttons += button(pin, "pin", "small bare", probe=probe.id)
    buttons += button("×", "remove", "small bare", probe=probe.id)
    return (
        f"<header><div><h2>{text(probe.prompt)}</h2>"
        f'<p class="quiet">{how} · greedy {pinned}</p></div>'
        f'<div class="pair">{buttons}</div></header>'
    )


def _free(probe: ProbeRow, sides: Sides, waiting: str) -> str:
    if probe.before is None and not probe.partial:
        return f'<div class="half quiet">{text(waiting)}</div>'
    before = _Half("before", sides[0], text(_so_far(probe, "before")))
    if probe.before is not None and probe.after is None:
        return (
            f'<div class="halves">{_half(before, probe.before)}<div class="half after">'
            '<div class="label">after</div><p class="quiet">No run is shown as after. Start one '
            "on the Edit tab, or choose one above.</p></div></div>"
        )
    said = marked(_so_far(probe, "before"), _so_far(probe, "after"))
    after = _Half("after", sides[1], said)
    return f'<div class="halves">{_half(before, probe.before)}{_half(after, probe.after)}</div>'


def _so_far(probe: ProbeRow, side: str) -> str:
    """An answer, whole or as far as it has come."""
    answer: Answered | None = getattr(probe, side)
    if answer is not None:
        return answer.text.strip() or "(nothing)"
    return probe.partial.get(side, "") + " …"


def _half(half: _Half, answer: Answered | None) -> str:
    bars = "".join(_token(token, share) for token, share in answer.top) if answer else ""
    return (
        f'<div class="half {half.kind}"><div class="label">{text(half.label)}</div>'
        f'<p class="said">{half.said}</p>{bars}</div>'
    )


def _token(token: str, share: float) -> str:
    shown = token.strip() or repr(token)
    return (
        f'<div class="token"><span title="next token {text(repr(token))}">{text(shown)}</span>'
        f'<span><i style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="num">{share:.2f}</span></div>'
    )


def _about_fact(card: tuple[ProbeRow, ...], sides: Sides, waiting: str) -> str:
    if card[0].before is None and not card[0].partial:
        return f'<div class="half quiet">{text(waiting)}</div>'
    before, after = _Half("before", sides[0], ""), _Half("after", sides[1], "")
    rows = "".join(_prompt_row(probe) for probe in card)
    return (
        '<div class="half"><div class="scroll"><table class="grid-table outcomes">'
        f"<tr><th>prompt</th><th>{text(before.label)}</th><th>{text(after.label)}</th>"
        f"</tr>{rows}</table></div></div>"
    )


def _prompt_row(probe: ProbeRow) -> str:
    old = _so_far(probe, "before")
    new = "–"
    if probe.after is not None or "after" in probe.partial:
        new = marked(old, _so_far(probe, "after"))
    return (
        f'<tr><td>{text(probe.prompt)}<br><span class="quiet">{ROLES[probe.role]}</span></td>'
        f"<td>{text(old)}</td><td>{new}</td></tr>"
    )
