"""The word lists of the skills and of the unrelated sentences, read from `words/*.txt`.

One entry a line; in the lists of pairs the two words of a line are parted by a comma.
"""

from workbench.builtin.tables import HERE

__all__ = ["DID", "MONTHS", "NAMES", "NOUNS", "OPPOSITES", "PLURALS", "WEEKDAYS", "WHEN", "WHO"]


def _lines(name: str) -> list[str]:
    return (HERE / "words" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _pairs(name: str) -> list[tuple[str, str]]:
    return [(left, right) for left, _, right in (line.partition(",") for line in _lines(name))]


NAMES = _lines("names")
NOUNS = _lines("nouns")
WEEKDAYS = _lines("weekdays")
MONTHS = _lines("months")
OPPOSITES = _pairs("opposites")
PLURALS = _pairs("plurals")
WHO = _lines("who")
DID = _lines("did")
WHEN = _lines("when")
