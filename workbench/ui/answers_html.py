"""How answers look: two halves of one card, before and after. Pure functions from data to HTML."""

import difflib
import re

from workbench.session.probes import Answered, ProbeRow
from workbench.ui.html import button, pill, text

__all__ = ["marked", "probe_card"]


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
    return "".join(pieces)


def _words(answer: str) -> list[str]:
    """Words, blanks and marks apart, so that joining them gives the answer again."""
    return re.findall(r"\w+|\s+|[^\w\s]", answer)


def probe_card(probe: ProbeRow, waiting: str = "") -> str:
    """One prompt with its answers.

    Args:
        probe: the prompt and what is known of its answers.
        waiting: what to say in place of answers that are not there yet.
    """
    how = "through the chat template" if probe.chat else "raw prompt"
    pinned = pill("pinned", "on") if probe.pinned else ""
    pin = button("Unpin" if probe.pinned else "Pin", "pin", "small bare", probe=probe.id)
    remove = button("×", "remove", "small bare", probe=probe.id)
    head = (
        f"<header><div><h2>{text(probe.prompt)}</h2>"
        f'<p class="quiet">{how} · greedy {pinned}</p></div>'
        f'<div class="pair">{pin}{remove}</div></header>'
    )
    if probe.before is None:
        return (
            f'<article class="answer">{head}<div class="half quiet">{text(waiting)}</div></article>'
        )
    after_name = f"after · run {probe.run}" if probe.run is not None else "after"
    return (
        f'<article class="answer">{head}<div class="halves">'
        f"{_half('before · base', 'before', text(_said(probe.before)), probe.before)}"
        f"{_after_half(after_name, probe.before, probe.after)}</div></article>"
    )


def _after_half(name: str, before: Answered, after: Answered | None) -> str:
    if after is None:
        return (
            f'<div class="half after"><div class="label">{text(name)}</div>'
            '<p class="quiet">No run is shown as after. Start one on the Edit tab, or choose one '
            "in the sidebar.</p></div>"
        )
    return _half(name, "after", marked(_said(before), _said(after)), after)


def _said(answer: Answered) -> str:
    return answer.text.strip() or "(nothing)"


def _half(name: str, kind: str, said: str, answer: Answered) -> str:
    bars = "".join(_token(token, share) for token, share in answer.top)
    return (
        f'<div class="half {kind}"><div class="label">{text(name)}</div>'
        f'<p class="said">{said}</p>{bars}</div>'
    )


def _token(token: str, share: float) -> str:
    shown = token.strip() or repr(token)
    return (
        f'<div class="token"><span title="next token {text(repr(token))}">{text(shown)}</span>'
        f'<span><i style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="num">{share:.2f}</span></div>'
    )
