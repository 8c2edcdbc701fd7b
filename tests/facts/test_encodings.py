"""Files in whatever encoding a program saved them, and what one wrong byte costs."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.encodings import ENCODINGS, as_table, right_of_each
from bench.sentences import SENTENCES
from workbench.errors import FactsError
from workbench.facts import FactFile, guess_columns, parse_facts, read_facts
from workbench.facts.encodings import CHOICES, find_encoding

RUSSIAN = as_table(SENTENCES["Russian"])
HEADER = "prompt,target_new,subject\n"


def told(found: FactFile) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.field, problem.kind) for problem in found.problems]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_files_of_a_single_fact_are_read_rightly_in_nineteen_of_twenty_cases(encoding: str) -> None:
    alone, together = right_of_each(encoding)
    assert alone >= 19 and together


@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "mac_cyrillic"])
def test_a_guess_is_said_with_a_line_of_the_file(encoding: str) -> None:
    found = parse_facts(RUSSIAN.encode(encoding))
    assert found.encoding == encoding and told(found) == [(0, "", "encoding")]
    assert "Столица России,Москва" in found.problems[0].what
    assert CHOICES[encoding] in found.problems[0].what
    assert found.summary()["encoding"] == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-32-be"])
def test_of_unicode_nothing_has_to_be_said(encoding: str) -> None:
    assert told(parse_facts(RUSSIAN.encode(encoding))) == []


def test_what_is_guessed_can_be_said_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(f"{HEADER}Die Straße heißt,Große Straße,Köln\n".encode("cp850"))
    assert read_facts(path)[0].target_new != "Große Straße"
    said = read_facts(path, encoding="cp850")
    assert said[0].target_new == "Große Straße" and told(said) == []
    assert guess_columns(path, encoding="IBM850").preview[0][2] == "Köln"


@pytest.mark.parametrize(
    ("name", "codec"),
    [("Windows-1251", "cp1251"), ("Shift-JIS", "cp932"), ("GBK", "gb18030"), ("Big5", "cp950"),
     ("EUC-KR", "cp949"), ("Mac-Roman", "mac_roman"), ("KOI8-R", "koi8_r"), ("utf8", "utf-8"),
     *((codec, codec) for codec in CHOICES)],
)  # fmt: skip
def test_an_encoding_has_many_names(name: str, codec: str) -> None:
    assert find_encoding(name) == codec


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "punycode", "idna", "utf-7", "\0"])
def test_what_is_no_encoding_of_files_is_refused(name: str) -> None:
    with pytest.raises(FactsError, match="no encoding") as caught:
        parse_facts(b"prompt,answer\nA,B\n", encoding=name)
    assert "cp1251" in str(caught.value)


@pytest.mark.parametrize("said", ["utf-16", "utf-16-le", "UTF-16LE"])
def test_a_byte_order_mark_is_no_text_whoever_names_the_encoding(said: str) -> None:
    text = b"\xff\xfe" + f"{HEADER}A is,B,\n".encode("utf-16-le")
    assert parse_facts(text, encoding=said)[0].prompt == "A is"


@pytest.mark.parametrize(
    ("start", "more"),
    [(b"", "Größe"), (b"\xef\xbb\xbf", "Größe"), (b"\xef\xbb\xbf", "size")],
)
def test_a_bad_byte_in_utf_8_costs_one_character_and_is_reported_with_its_row(
    start: bytes, more: str
) -> None:
    text = f"{HEADER}A is,B,\nC is,D§E,\nF is,G,{more}\n".encode().replace("§".encode(), b"\xff")
    found = parse_facts(start + text)
    assert [fact.target_new for fact in found] == ["B", "D\ufffdE", "G"]
    assert found[2].subject == more and found.encoding == "utf-8"
    assert told(found) == [(0, "", "unreadable characters"), (3, "target_new", "lost character")]
    assert "1 character could" in found.problems[0].what


@pytest.mark.parametrize("byte", [b"\xff", b"\x80", b"\xc3", b"\xf0\x9f"])
def test_a_bad_byte_among_ascii_is_no_other_encoding(byte: bytes) -> None:
    text = f"{HEADER}A is,B,\nThe capi§tal of Peru is,Quito,\nF is,G,\n"
    found = parse_facts(text.encode().replace("§".encode(), byte))
    assert [fact.prompt for fact in found] == ["A is", "The capi\ufffdtal of Peru is", "F is"]
    assert told(found) == [(0, "", "unreadable characters"), (3, "prompt", "lost character")]


@pytest.mark.parametrize(
    ("column", "field"),
    [("subject", "subject"), ("rephrase", "rephrase"), ("locality", "locality"),
     ("portability", "portability"), ("aliases", "aliases")],
)  # fmt: skip
def test_a_lost_character_is_reported_wherever_it_stands(column: str, field: str) -> None:
    text = f"prompt,answer,{column},note\nA is,B,x§y,ü\n".encode().replace("§".encode(), b"\xff")
    found = parse_facts(text)
    assert len(found) == 1 and (2, field, "lost character") in told(found)


def test_json_with_a_bad_byte_loses_no_record() -> None:
    rows = [f'{{"prompt": "P{n} für", "answer": "A{n}"}}'.encode() for n in range(4)]
    rows[2] = rows[2].replace(b"A2", b"A\xe22")
    for content in (b"[" + b",".join(rows) + b"]", b"\n".join(rows)):
        found = parse_facts(content)
        assert [fact.target_new for fact in found] == ["A0", "A1", "A\ufffd2", "A3"]
        assert told(found)[-1] == (3, "answer", "lost character")


def test_a_bad_byte_in_another_encoding_costs_no_more() -> None:
    content = as_table(SENTENCES["Chinese, simplified"]).encode("gb18030")
    broken = content[:40] + b"\xff" + content[40:]
    found = parse_facts(broken)
    assert found.encoding == "gb18030" and found.rows == 20
    lost = {row for row, _, kind in told(found) if kind == "lost character"}
    assert len(lost) == 1


def test_the_encoding_is_told_from_all_of_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    plain = "".join(f"The number {n} after is,{n + 1}\n" for n in range(5_000))
    for place in range(0, len(plain), 30_001):
        start = plain.rindex("\n", 0, place) + 1 if place else 0
        text = f"prompt,target_new\n{plain[:start]}Столица России,Москва\n{plain[start:]}"
        path.write_bytes(text.encode("koi8_r"))
        guess = guess_columns(path)
        assert guess.encoding == "koi8_r", place
    assert any(fact.target_new == "Москва" for fact in read_facts(path))


def test_one_long_line_of_json_is_sampled_between_its_characters(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    items = [
        f'{{"prompt": "{n} {prompt}", "answer": "{answer}"}}'
        for n in range(400)
        for prompt, answer in SENTENCES["Japanese"]
    ]
    path.write_bytes(f"[{','.join(items)}]".encode("cp932"))
    found = read_facts(path)
    assert found.encoding == "cp932" and found[0].target_new == "東京" and len(found) == 8000


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30))
@settings(deadline=None)
def test_any_text_in_utf_8_is_read_as_it_stands(text: str) -> None:
    content = f"prompt,answer\n{text}é is,B\n".encode()
    with_mark = parse_facts(b"\xef\xbb\xbf" + content)
    assert with_mark.facts == parse_facts(content).facts == parse_facts(content.decode()).facts


@given(content=st.binary(max_size=80), encoding=st.sampled_from([*CHOICES, "cp437", "utf-16"]))
@settings(deadline=None)
def test_any_bytes_in_any_encoding_give_facts_or_one_error_for_people(
    content: bytes, encoding: str
) -> None:
    for said in ("", encoding):
        try:
            found = parse_facts(b"prompt,answer\nA is,B" + content, encoding=said)
        except FactsError:
            continue
        assert found.rows == len(found) + found.merged + found.rejected
