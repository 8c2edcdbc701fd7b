"""Small, meaningless sentences to put in front of a prompt.

They are put together from word lists; one in ten, chosen by its text alone, is held out
from training, so that robustness is measured on sentences never seen. Nothing in them is
about the world's facts.
"""

import random
import zlib

from workbench.builtin.words import DID, WHEN, WHO

__all__ = ["unrelated_sentence"]


def _is_held_out(sentence: str) -> bool:
    return zlib.crc32(sentence.encode()) % 10 == 0


def unrelated_sentence(rng: random.Random, held_out: bool) -> str:
    """One sentence, from those held out from training or from the others."""
    while True:
        sentence = f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHEN)}."
        if _is_held_out(sentence) == held_out:
            return sentence
