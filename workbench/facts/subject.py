"""What a prompt is about, found where nobody said it.

A subject is looked for among the runs of words that look like names. Of several, it is the one in
whose place other prompts of the same pattern have something else; else the longest. How often that
is right stands in bench/README.md. Knows nothing about models.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from workbench.facts.fact import Fact

__all__ = ["find_subjects", "is_name", "with_subjects"]

# Words that stand inside names, such as "University of Paris".
LINKS = frozenset(
    {"&", "a", "al", "and", "at", "de", "del", "der", "di", "du", "for", "in", "la", "le", "no"}
    | {"of", "on", "the", "to", "van", "von", "y"}
)
MOST_LINKS = 2
POSSESSIVES = ("'s", "’s")

_Span = tuple[int, int]


def with_subjects(facts: Sequence[Fact]) -> list[Fact]:
    """Facts that all have a subject which stands in their prompt, as far as one is found.

    Args:
        facts: any; a subject that somebody gave and that stands in the prompt stays.
    """
    found = find_subjects([fact.prompt for fact in facts])
    return [
        fact if fact.subject and fact.subject in fact.prompt else replace(fact, subject=subject)
        for fact, subject in zip(facts, found, strict=True)
    ]


def find_subjects(prompts: Sequence[str]) -> list[str]:
    """What each of some prompts is about, a part of it; empty where nothing looks like it.

    Args:
        prompts: those that may have patterns in common.
    """
    every = [prompt.split() for prompt in prompts]
    spans = [_spans(words) for words in every]
    shared = Counter(
        _around(words, span) for words, found in zip(every, spans, strict=True) for span in found
    )

    def rank(words: list[str], span: _Span) -> tuple[bool, bool, int]:
        start, end = span
        # A single word at the beginning has its capital from the sentence.
        return shared[_around(words, span)] > 1, start > 0 or end > 1, end - start

    found = []
    for prompt, words, candidates in zip(prompts, every, spans, strict=True):
        best = max(candidates, key=lambda span: rank(words, span), default=None)
        subject = _bare(" ".join(words[slice(*best)])) if best else ""
        found.append(subject if subject in prompt else "")
    return found


def _around(words: list[str], span: _Span) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(words[: span[0]]), tuple(words[span[1] :])


def _spans(words: list[str]) -> list[_Span]:
    """The runs of names in a prompt; one at its beginning also without its first word."""
    found: list[_Span] = []
    start = 0
    while start < len(words):
        if not is_name(words[start]):
            start += 1
            continue
        end = _end(words, start)
        last = next((n + 1 for n in range(start, end) if words[n].endswith(POSSESSIVES)), end)
        found.append((start, last))
        if start == 0 and last > 1:
            found.append((1, last))
        start = end
    return found


def _end(words: list[str], start: int) -> int:
    """One past the last word of the names that begin at a word."""
    end = start + 1
    while end < len(words):
        further = end
        while further < len(words) and further - end < MOST_LINKS and words[further] in LINKS:
            further += 1
        if further == len(words) or not is_name(words[further]):
            break
        end = further + 1
    return end


def is_name(word: str) -> bool:
    """Whether a word inside a sentence looks like a name or a number."""
    return word[:1].isupper() or word[:1] in "\"'(“«" or any(letter.isdigit() for letter in word)


def _bare(text: str) -> str:
    """A span without the marks around it."""
    text = text.strip().rstrip("?!,.;:")
    for ending in POSSESSIVES:
        text = text.removesuffix(ending)
    return text.strip("\"“”«»'")
