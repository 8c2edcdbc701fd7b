"""The names of encodings: what a person may choose from, and what they are called in messages.

Knows nothing about files.
"""

import codecs

from workbench.errors import FactsError
from workbench.facts.likely import ENCODINGS
from workbench.facts.problems import shorten

__all__ = ["CHOICES", "encoding_label", "find_encoding"]

_NAMES = {
    "gb18030": "GB18030, GBK",
    "cp950": "Big5",
    "cp949": "EUC-KR",
    "cp932": "Shift-JIS",
    "euc_jp": "EUC-JP",
    "koi8_r": "KOI8-R",
    "mac_cyrillic": "Mac Cyrillic",
    "cp866": "DOS 866",
    "mac_roman": "Mac Roman",
    "iso8859_2": "ISO 8859-2",
}
_UNICODE = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16, little endian",
    "utf-16-be": "UTF-16, big endian",
    "utf-32-le": "UTF-32, little endian",
    "utf-32-be": "UTF-32, big endian",
}

CHOICES: dict[str, str] = {
    **_UNICODE,
    **{
        codec: f"{written}: {_NAMES.get(codec, codec.replace('cp', 'Windows-'))}"
        for codec, written in ENCODINGS.items()
    },
}
"""The encodings that a page offers: the codec, and what it is called."""

# What programs call by the narrower name is most often written in the wider encoding.
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "big5": "cp950", "euc_kr": "cp949",
          "shift_jis": "cp932"}  # fmt: skip

# Codecs of text that no program saves tables in, some of which never end or run out of memory.
_NO_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}


def find_encoding(name: str) -> str:
    """The codec of an encoding that somebody named.

    Args:
        name: any name that Python knows, such as ``cp1251``, ``Big5`` or ``Mac-Roman``.

    Raises:
        FactsError: there is no such encoding.
    """
    plain = name.strip().lower().replace(" ", "-")
    plain = plain.replace("windows-", "cp").replace("_", "-")
    try:
        codec = codecs.lookup(plain)
        # Some codecs turn bytes into bytes, which cannot be seen from outside but by trying.
        is_text = isinstance(codec.incrementaldecoder().decode(b""), str)
    except (LookupError, ValueError, TypeError, AttributeError, UnicodeError):
        is_text = False
    if not is_text or codec.name in _NO_FILES:
        raise FactsError(
            f"There is no encoding '{shorten(name, 40)}'. Known are, among others, "
            f"{', '.join(CHOICES)}."
        )
    listed = {choice.replace("-", "_"): choice for choice in CHOICES}
    listed |= _WIDER
    return listed.get(codec.name.replace("-", "_"), codec.name)


def encoding_label(codec: str) -> str:
    """What an encoding is called in messages."""
    return CHOICES.get(codec, codec)
