"""In which encodings files of facts are read rightly, also those of a single fact.

`python -m bench.encodings` writes facts of `bench.sentences` in each encoding, and tables how many
files came out equal: first twenty files of one fact each, which is the hardest case, then one file
of all twenty. What other libraries say is counted beside it where they are installed.
"""

import csv
import io
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from bench.sentences import SENTENCES
from workbench.facts.decode import open_text
from workbench.facts.source import Source

__all__ = ["ENCODINGS", "as_table", "read_as", "right_of_each"]

ENCODINGS: Mapping[str, str] = {
    "gbk": "Chinese, simplified",
    "gb18030": "Chinese, simplified",
    "big5": "Chinese, traditional",
    "euc_kr": "Korean",
    "shift_jis": "Japanese",
    "euc_jp": "Japanese",
    "cp1251": "Russian",
    "koi8_r": "Russian",
    "cp1250": "Polish, Czech, Hungarian",
    "cp1252": "Western European",
    "mac_roman": "Western European",
    "utf-32": "many",
    "utf-32-le": "many",
    "utf-32-be": "many",
    "utf-16": "many",
    "utf-16-le": "many",
    "utf-16-be": "many",
    "utf-8": "many",
}
"""The encodings, and the language that is written in each; the wide ones by -le and -be have no
byte order mark."""

Pairs = tuple[tuple[str, str], ...]


def as_table(pairs: Pairs) -> str:
    """Facts as people save them."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerows([("prompt", "target_new"), *pairs])
    return stream.getvalue()


def read_as(content: bytes) -> str:
    """The text of a file as the workbench reads it."""
    source = Source(io.BytesIO(content), "the file", len(content))
    with source.stack:
        return open_text(source).stream.read()


def right_of_each(encoding: str, read: Callable[[bytes], str] = read_as) -> tuple[int, bool]:
    """How many files of one fact come out equal, and whether one of all facts does.

    Args:
        encoding: one of `ENCODINGS`.
        read: reads a file's bytes; an error counts as wrong.
    """
    pairs = SENTENCES[ENCODINGS[encoding]]
    alone = sum(_is_right((pair,), encoding, read) for pair in pairs)
    return alone, _is_right(pairs, encoding, read)


def _is_right(pairs: Pairs, encoding: str, read: Callable[[bytes], str]) -> bool:
    text = as_table(pairs)
    try:
        return read(text.encode(encoding)).removeprefix("\ufeff") == text
    except (LookupError, ValueError, TypeError):
        return False


def _by_charset_normalizer(content: bytes) -> str:
    best = import_module("charset_normalizer").from_bytes(content).best()
    return "" if best is None else content.decode(best.encoding)


def _by_chardet(content: bytes) -> str:
    return content.decode(import_module("chardet").detect(content)["encoding"])


def readers() -> dict[str, Callable[[bytes], str]]:
    """Who reads, by name: the workbench, then the libraries that are installed."""
    found: dict[str, Callable[[bytes], str]] = {"workbench": read_as}
    others = {"charset-normalizer": _by_charset_normalizer, "chardet": _by_chardet}
    for name, read in others.items():
        try:
            found[f"{name} {version(name)}"] = read
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Prints the table."""
    known = readers()
    print(f"| encoding | language | {' | '.join(known)} |")
    print(f"| --- | --- |{' ---: |' * len(known)}")
    for encoding, language in ENCODINGS.items():
        cells = []
        for read in known.values():
            alone, together = right_of_each(encoding, read)
            cells.append(f"{alone / 20:.0%}, {'right' if together else 'wrong'}")
        print(f"| {encoding} | {language} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
