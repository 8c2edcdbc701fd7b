"""How likely a text is one that somebody wrote, rather than bytes read in the wrong encoding.

Each encoding was made for some languages, and a character is the likelier the commoner it is in
them: the national standards list common characters apart from rare ones, and an alphabet is
short. What stands in the wrong place, such as a capital after a small letter, makes a text
unlikely. The likelihoods are rough on purpose: between two encodings they differ by orders of
magnitude, or the text looks right in both.

Knows nothing about files, nor about bytes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

__all__ = ["ENCODINGS", "is_plausible", "likelihood"]

# What is written between words and between sentences.
_MARKS = "«»“”‘’–—…°£€§·¿¡\xa0„‚№"
_WIDE_MARKS = "、。，．・：；？！「」『』（）《》〈〉【】“”‘’…—·　～％"
_HIRAGANA = "".join(map(chr, range(0x3041, 0x3094)))
_KATAKANA = "ー" + "".join(map(chr, range(0x30A1, 0x30F7)))
_HANZI = "".join(map(chr, range(0x4E00, 0x9FA6)))

_LAST_LATIN = "\u024f"
_RARE = math.log(1e-7)
_MISPLACED = math.log(1e-3)
# A letter of ASCII, in a language that has no others; names of columns are in every language.
_ASCII, _LEAST, _SIGN = 1 / 30, 1 / 60, math.log(1 / 30)

# Where one line fits two encodings, it is in the one that more files are in.
_SELDOM = dict.fromkeys(("mac_cyrillic", "cp866", "iso8859_2", "cp1257", "cp1255", "cp874"), -3.0)
_SELDOM |= {"cp1250": -1.0, "cp1253": -2.0, "cp1254": -2.0, "cp1256": -3.0, "mac_roman": -1.0}

Shares = Sequence[tuple[Iterable[str], float]]


def likelihood(lines: Iterable[str], encoding: str) -> float:
    """The logarithm of how likely lines are that were read in an encoding; higher is likelier.

    Args:
        lines: what came out; each may be in another language.
        encoding: one of `ENCODINGS`.
    """
    languages = _languages(encoding)
    return _SELDOM.get(encoding, 0.0) + sum(
        max(_told(line, language) for language in languages) + _misplaced(line) for line in lines
    )


def is_plausible(lines: Sequence[str], encoding: str) -> bool:
    """Whether all that is not ASCII is usual in one language of an encoding, and where it belongs.

    Args:
        lines: what came out.
        encoding: one of `ENCODINGS`.
    """
    languages = _languages(encoding)
    for line in lines:
        beyond = {character for character in line if not character.isascii()}
        if not any(beyond <= language.known.keys() for language in languages):
            return False
    return not any(map(_misplaced, lines))


class _Language:
    """How likely each character beyond ASCII is, and a letter in ASCII."""

    def __init__(self, shares: Shares) -> None:
        beyond = sum(share for _, share in shares)
        self.letter = math.log(max(_LEAST, _ASCII * (1 - beyond)))
        self.known: dict[str, float] = {}
        for characters, share in shares:
            found = list(dict.fromkeys(characters))
            for character in found:
                self.known.setdefault(character, math.log(share / len(found)))


def _told(line: str, language: _Language) -> float:
    return sum(
        (language.letter if character.isalpha() else _SIGN)
        if character.isascii()
        else language.known.get(character, _RARE)
        for character in line
    )


def _misplaced(line: str) -> float:
    if line.isascii():
        return 0.0
    around = zip(" " + line, line, line[1:] + " ", strict=False)
    return _MISPLACED * sum(not c.isascii() and _is_misplaced(b, c, a) for b, c, a in around)


def _is_misplaced(before: str, character: str, after: str) -> bool:
    """Whether a character does not belong between these two.

    That is a sign inside a word, a capital after a small letter, a small letter between capitals,
    or a letter of another script in the middle of a Latin word.
    """
    if not character.isalpha():
        inside = character not in "’·" and before.isalpha()
        return after.isalpha() and (inside or character in "…°")
    if character > _LAST_LATIN and (_is_latin(before) or _is_latin(after)):
        return True
    if character.isupper():
        return before.islower()
    return character.islower() and before.isupper() and after.isupper()


def _is_latin(character: str) -> bool:
    return character <= _LAST_LATIN and character.isalpha()


def _alphabet(letters: str, share: float) -> Shares:
    """An alphabet, the commonest letters first, with its capitals."""
    capitals = [letter.upper() for letter in letters if len(letter.upper()) == 1]
    middle = max(3, len(letters) // 3)
    common, rest = letters[:middle], letters[middle:] or letters
    return ((common, share * 0.6), (rest, share * 0.3), (capitals, share * 0.1), (_MARKS, 0.01))


def _alphabets(*written: tuple[str, float]) -> tuple[Shares, ...]:
    return tuple(_alphabet(letters, share) for letters, share in written)


def _rows(codec: str, first: int, last: int, cells: Iterable[int] = range(0xA1, 0xFF)) -> str:
    """The characters in some rows of a standard."""
    rows = range(first, last + 1)
    return "".join(bytes((r, c)).decode(codec, "ignore")[-1:] for r in rows for c in cells)


def _chinese() -> Shares:
    common, rare = _rows("gb2312", 0xB0, 0xD7), _rows("gb2312", 0xD8, 0xF7)
    return ((_WIDE_MARKS, 0.1), (common, 0.86), (rare, 0.03), (_HANZI, 0.005))


def _traditional() -> Shares:
    cells = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    common, rare = _rows("big5", 0xA4, 0xC6, cells), _rows("big5", 0xC9, 0xF9, cells)
    return ((_WIDE_MARKS, 0.1), (common, 0.86), (rare, 0.02), (_HANZI, 0.002))


def _japanese() -> Shares:
    common, rare = _rows("euc_jp", 0xB0, 0xCF), _rows("euc_jp", 0xD0, 0xF4)
    half = "".join(map(chr, range(0xFF61, 0xFFA0)))
    kana = ((_HIRAGANA, 0.42), (_KATAKANA, 0.12), (half, 0.001))
    return ((_WIDE_MARKS, 0.08), *kana, (common, 0.35), (rare, 0.01))


def _korean() -> Shares:
    common, hanja = _rows("euc_kr", 0xB0, 0xC8), _rows("euc_kr", 0xCA, 0xFD)
    rare = "".join(map(chr, range(0xAC00, 0xD7A4)))
    return ((_WIDE_MARKS, 0.02), (common, 0.95), (hanja, 0.005), (rare, 0.005))


_RUSSIAN = _alphabet("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё" + "іїєґўјљњћђџ", 0.9)
_GREEK = _alphabet("αοιετσνηυρπκμλςωδγάίχθφόέβήώξζύψϊϋΐΰ", 0.9)
_HEBREW = (("".join(map(chr, range(0x5D0, 0x5EB))), 0.8), (_MARKS, 0.01))
_ARABIC = (("".join(map(chr, (*range(0x621, 0x63B), *range(0x641, 0x653)))) + "،؛؟پچژگی", 0.8),)
_THAI = (("".join(map(chr, (*range(0xE01, 0xE3B), *range(0xE40, 0xE5A)))), 0.8),)
# The letters beyond ASCII of languages in the Latin alphabet, the commonest first, and how many
# of a language's letters they are.
_WESTERN = _alphabets(
    ("éèàêçâôîûùëïœ", 0.06), ("üäöß", 0.04), ("óíáéñúüçàèòï", 0.05), ("ãçéáóíêõâàúô", 0.07),
    ("èàùòìéî", 0.04), ("äöå", 0.08), ("øåæ", 0.07), ("éëïöü", 0.01), ("áíðþóæúéöý", 0.15),
)  # fmt: skip
_CENTRAL = _alphabets(
    ("ąęłóśżćńź", 0.1), ("íáěřéšžýčůúťňďó", 0.15), ("áčíéžšýúľťňôďäĺŕó", 0.14),
    ("éáöőóüíűú", 0.13), ("ăîâşţșț", 0.08), ("čšžćđ", 0.03),
)  # fmt: skip
_TURKISH = _alphabets(("ıüşçğöâîû", 0.12))
_BALTIC = _alphabets(("āīšēžūčņļķģ", 0.1), ("ėšąžūčįųę", 0.08), ("äõüöšž", 0.08))

ENCODINGS: Mapping[str, str] = {
    "gb18030": "Chinese, simplified",
    "cp950": "Chinese, traditional",
    "cp949": "Korean",
    "cp932": "Japanese",
    "euc_jp": "Japanese",
    "cp1251": "Cyrillic",
    "koi8_r": "Cyrillic",
    "mac_cyrillic": "Cyrillic",
    "cp866": "Cyrillic",
    "cp1252": "Western European",
    "mac_roman": "Western European",
    "cp1250": "Central European",
    "iso8859_2": "Central European",
    "cp1253": "Greek",
    "cp1254": "Turkish",
    "cp1257": "Baltic",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp874": "Thai",
}
"""The encodings that it knows, and what is written in them; where two are as likely, the first
one is meant."""


@cache
def _languages(encoding: str) -> tuple[_Language, ...]:
    """What is written in an encoding."""
    latin: dict[str, tuple[Shares, ...]] = {
        "Western European": _WESTERN,
        "Central European": _CENTRAL,
        "Turkish": _TURKISH,
        "Baltic": _BALTIC,
    }
    written = ENCODINGS[encoding]
    if written in latin:
        return tuple(_Language(shares) for shares in latin[written])
    others: dict[str, Shares] = {
        "Cyrillic": _RUSSIAN,
        "Greek": _GREEK,
        "Hebrew": _HEBREW,
        "Arabic": _ARABIC,
        "Thai": _THAI,
    }
    made = {
        "Chinese, simplified": _chinese,
        "Chinese, traditional": _traditional,
        "Japanese": _japanese,
        "Korean": _korean,
    }
    return (_Language(made[written]() if written in made else others[written]),)
