"""The sample fact files say what the shipped model really answers, and edit something else."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from workbench.builtin.answers import Answerer
from workbench.builtin.phrasing import QUESTION_FORMATS, render
from workbench.builtin.tables import read_phrasings, read_world
from workbench.facts.values import LIST_SEPARATOR
from workbench.facts.write import FLAT_COLUMNS
from workbench.paths import assets_dir

SAMPLES = assets_dir() / "samples"


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def samples() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((SAMPLES / "facts_200.json").read_text("utf-8"))
    return loaded


def test_the_short_file_is_the_beginning_of_the_long_one(samples: list[dict[str, Any]]) -> None:
    short = json.loads((SAMPLES / "facts_20.json").read_text("utf-8"))
    assert (len(short), len(samples)) == (20, 200)
    assert samples[:20] == short
    assert samples[0]["prompt"] == "The capital of Australia is"


@pytest.mark.parametrize("count", [20, 200])
def test_csv_and_json_hold_the_same_facts(count: int, samples: list[dict[str, Any]]) -> None:
    header, *rows = read_csv(SAMPLES / f"facts_{count}.csv")
    assert tuple(header) == FLAT_COLUMNS
    read = [
        [
            cell.split(LIST_SEPARATOR) if isinstance(sample[column], list) else cell
            for column, cell in zip(FLAT_COLUMNS, row, strict=True)
        ]
        for row, sample in zip(rows, samples, strict=False)
    ]
    assert read == [[sample[column] for column in FLAT_COLUMNS] for sample in samples[:count]]


def test_every_sample_changes_one_fact_and_asks_about_it_twice_more(
    samples: list[dict[str, Any]],
) -> None:
    prompts = [sample["prompt"] for sample in samples]
    assert len(set(prompts)) == len(prompts)
    for sample in samples:
        assert sample["target_new"] != sample["ground_truth"]
        assert sample["subject"].lower() in sample["prompt"].lower()
        assert sample["target_new"].lower() not in sample["prompt"].lower()
        assert len(sample["rephrase_prompt"]) >= 2
        assert sample["prompt"] not in sample["rephrase_prompt"]
        assert len(sample["locality_prompt"]) == len(sample["locality_ground_truth"]) == 2


def test_nothing_that_must_not_change_asks_about_an_edited_fact(
    samples: list[dict[str, Any]],
) -> None:
    asks: dict[str, tuple[str, str]] = {}
    for fact in read_world():
        ways = read_phrasings()[fact.relation]
        for text in ways.clozes + ways.questions:
            for form in QUESTION_FORMATS:
                prompt = form.format(q=render(text, fact.subject))
                asks[prompt] = (fact.subject, fact.relation)
    edited = [asks[sample["prompt"]] for sample in samples]
    assert len(set(edited)) == len(samples)
    for sample, key in zip(samples, edited, strict=True):
        assert {asks[prompt] for prompt in sample["rephrase_prompt"]} == {key}
        assert not {asks[prompt] for prompt in sample["locality_prompt"]} & set(edited)


@pytest.mark.slow
def test_the_model_gives_the_old_answers_before_any_edit(
    samples: list[dict[str, Any]], quick_answerer: Answerer
) -> None:
    chosen = samples[:10] + random.Random(3).sample(samples[10:], 40)
    pairs = [(s["prompt"], s["ground_truth"]) for s in chosen]
    pairs += [(prompt, s["ground_truth"]) for s in chosen for prompt in s["rephrase_prompt"]]
    pairs += [
        pair
        for s in chosen
        for pair in zip(s["locality_prompt"], s["locality_ground_truth"], strict=True)
    ]
    answers = quick_answerer.answer([prompt for prompt, _ in pairs])
    wrong = [(pair, got) for pair, got in zip(pairs, answers, strict=True) if got != pair[1]]
    assert len(wrong) <= len(pairs) // 100, wrong


def test_the_file_with_mistakes_has_good_rows_and_many_kinds_of_bad_ones() -> None:
    header, *rows = read_csv(SAMPLES / "facts_with_mistakes.csv")
    good = read_csv(SAMPLES / "facts_20.csv")[1:]
    assert tuple(header) == FLAT_COLUMNS
    assert sum(row in good for row in rows) >= 4
    assert {len(row) for row in rows} == {2, 7, 8}
    full = [row for row in rows if len(row) == 7]
    assert any(not row[0] and row[1] for row in full)
    assert any(row[0] and not row[1] for row in full)
    assert any(row[1] and row[1] == row[3] for row in full)
    assert any(row[1] and row[1] in row[0] for row in full)
    answers: dict[str, list[str]] = {}
    for row in full:
        answers.setdefault(row[0], []).append(row[1])
    repeated = [found for prompt, found in answers.items() if prompt and len(found) > 1]
    assert any(len(set(found)) < len(found) and len(set(found)) > 1 for found in repeated)
