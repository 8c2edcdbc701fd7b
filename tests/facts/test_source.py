"""Files that are packed, too large, broken on purpose, or stopped while they are read."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from workbench.errors import FactsError, ReadingStopped
from workbench.facts import parse_facts, read_facts

CSV = b"prompt,target_new\nThe capital of Peru is,Quito\n"
SAMPLES = Path(__file__).parent / "samples"


def packed(content: bytes) -> bytes:
    """Packed as at one moment, so that the tests' names are the same in every process."""
    return gzip.compress(content, mtime=0)


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_what_an_operating_system_adds_to_an_archive_is_passed_over() -> None:
    found = parse_facts(zipped(**{"facts.csv": CSV, "__MACOSX/._facts.csv": b"x", "d/": b""}))
    assert found[0].target_new == "Quito"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(a=CSV, b=CSV), ["2 files", "'a', 'b'"]),
        (zipped(), ["0 files"]),
        (packed(packed(CSV)), ["packed twice"]),
        (zipped(a=packed(CSV)), ["packed twice"]),
        (packed(CSV)[:-9], ["gzip archive", "broken"]),
        (zipped(a=CSV)[:-30], ["zip archive", "broken"]),
        (b"PAR1" + b"x" * 40, ["Parquet", "broken"]),
        ((SAMPLES / "own.xlsx").read_bytes()[:3000], ["broken"]),
        (b"%PDF-1.7", ["a PDF"]),
        (b'[{"prompt": "A", "target_new": ' + b"[" * 5000 + b"]" * 5000 + b"}]", ["too deeply"]),
        (b'[{"prompt": "A", "target_new": ' + b"9" * 5000 + b"}]", ["number is too long"]),
        (b'[{"prompt": "A"}] x', ["Extra data"]),
        (b'[{"prompt": "A"} {"prompt": "B"}]', ["line 1, column 18"]),
        (b'{"facts": [{"prompt": "A", "target_new": "B"}], oops}', ["Extra data"]),
        (b'[\n {"prompt": "A"},\n {"prompt: 1}\n]', ["line 3, column"]),
    ],
)
def test_what_is_broken_is_said_in_words(content: bytes, words: list[str]) -> None:
    with pytest.raises(FactsError) as caught:
        parse_facts(content, "'file'")
    for word in [*words, "'file'"]:
        assert word in str(caught.value)


def test_a_file_over_the_limit_is_refused_packed_or_not(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    large = CSV + CSV.splitlines()[1] * 150
    path.write_bytes(large)
    with pytest.raises(FactsError, match=r"has 4,\d\d\d bytes; at most 4,000 bytes"):
        read_facts(path, max_bytes=4000)
    path.write_bytes(gzip.compress(large))
    with pytest.raises(FactsError, match=r"larger than that unpacked"):
        read_facts(path, max_bytes=4000)
    path.write_bytes(zipped(a=large))
    with pytest.raises(FactsError, match=r"larger than that unpacked"):
        read_facts(path, max_bytes=4000)
    assert len(read_facts(path)) == 1


def test_more_rows_or_columns_than_anybody_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.facts.read.MAX_ROWS", 1)
    assert len(parse_facts(CSV)) == 1
    with pytest.raises(FactsError, match="more than 1 rows"):
        parse_facts(CSV + b"A is,B\n")
    monkeypatch.setattr("workbench.facts.read.MAX_COLUMNS", 2)
    with pytest.raises(FactsError, match="more than 2 columns"):
        parse_facts('[{"prompt": "A", "answer": "B", "note": "C"}]')


def test_an_element_across_the_pieces_of_a_large_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    facts = [{"prompt": f"P{i} " + "ä" * 90_000, "target_new": "A"} for i in range(7)]
    path.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    assert [fact.prompt for fact in read_facts(path)] == [fact["prompt"] for fact in facts]


def test_an_error_far_into_a_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    lines = [json.dumps({"prompt": f"P{i}", "target_new": "A" * 1000}) for i in range(900)]
    lines[800] = '{"prompt": "P800", "target_new" "A"}'
    path.write_text("[" + ",\n".join(lines) + "]", encoding="utf-8")
    with pytest.raises(FactsError, match="line 801, column 33"):
        read_facts(path)


def test_json_lines_keep_their_numbers_through_blank_and_broken_lines() -> None:
    good = '{"prompt": "P%d", "target_new": "A"}'
    found = parse_facts(f"\n{good % 1}\n\n[1]\n{good % 2}\nnothing\n")
    assert found.numbers == (2, 5)
    assert [problem.row for problem in found.problems] == [4, 6]


def test_progress_is_told_and_ends_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(b"prompt,answer\n" + b"".join(b"P%d is,A\n" % i for i in range(2500)))
    told: list[tuple[int, float]] = []
    read_facts(path, on_progress=lambda rows, share: told.append((rows, share)))
    assert told == sorted(told)
    assert len(told) > 3 and told[-1] == (2500, 1.0)


def test_reading_that_is_stopped_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(b"prompt,answer\n" + b"".join(b"P%d is,A\n" % i for i in range(2500)))
    told: list[int] = []
    with pytest.raises(ReadingStopped, match="nothing was kept"):
        read_facts(path, on_progress=lambda rows, _: told.append(rows),
                   should_stop=lambda: len(told) == 2)  # fmt: skip
    assert len(told) == 2


def test_of_a_workbook_with_several_sheets_the_others_are_told(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["prompt", "answer"], ["A is", "B"], ["  ", None]):
        book.active.append(row)
    book.create_sheet("More").append(["a note"])
    book.create_sheet("Empty")
    book.save(tmp_path / "facts.xlsx")
    found = read_facts(tmp_path / "facts.xlsx")
    assert (found.rows, len(found)) == (1, 1)
    assert [(problem.row, problem.kind) for problem in found.problems] == [(0, "other sheets")]


def test_dates_and_numbers_in_excel_are_answers_and_other_rows_are_told(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from datetime import datetime

    book = openpyxl.Workbook()
    for row in (["prompt", "answer"], ["A is", datetime(2020, 1, 2)], [None, None],
                ["B is", 3.5], ["C is"], ["D is", "E", "F"]):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "facts.xlsx")
    found = read_facts(tmp_path / "facts.xlsx")
    assert [fact.target_new for fact in found] == ["2020-01-02", "3.5"]
    assert [(p.row, p.kind) for p in found.problems] == [
        (4, "answer cut"), (5, "missing"), (6, "cells"),
    ]  # fmt: skip
