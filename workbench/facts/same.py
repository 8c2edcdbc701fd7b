"""When two texts are the same to a reader, though not to a computer.

Texts are the same that differ only in Unicode form, in zero-width or full-width characters, in
case, in blanks, or in the punctuation at their end.

Invariant: what is the same by one letter of another form is so in any order; nothing is changed,
for the text itself is what a model reads.
"""

import re
import unicodedata

from workbench.facts.answers import plain_answer

__all__ = ["answer_key", "prompt_key"]

# Full-width and half-width characters, whose decomposition says what they stand for.
_WIDTHS = {
    code: chr(int(decomposition.split()[1], 16))
    for code in (0x3000, *range(0xFF01, 0xFFEF))
    if (decomposition := unicodedata.decomposition(chr(code))).startswith(("<wide>", "<narrow>"))
}
# What takes no room: soft hyphens, joiners, direction marks, byte order marks inside a text.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_FINAL = " .?!…:;,、。؟؛।"


def prompt_key(prompt: str) -> str:
    """What two prompts have in common that are the same to a reader."""
    key = _folded(prompt)
    # A prompt of nothing but punctuation is only that.
    return key.rstrip(_FINAL) or key


def answer_key(answer: str) -> str:
    """What two answers have in common that are the same to a reader; see `plain_answer` too."""
    return plain_answer(prompt_key(answer))


def _folded(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    seen = _UNSEEN.sub("", text.translate(_WIDTHS))
    folded = unicodedata.normalize("NFC", seen).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())
