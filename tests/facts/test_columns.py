"""Columns under other names: what a person says about them, and what is guessed."""

from pathlib import Path

import pytest

from workbench.errors import FactsError
from workbench.facts import guess_columns, parse_facts, read_facts
from workbench.facts.headers import TRANSLATED

TABLE = "Q,A,Was,note\nThe capital of Peru is,Quito,Lima,x\nIce is made of,iron,water,y\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_person_may_say_which_column_holds_what(table: Path) -> None:
    found = read_facts(table, {"prompt": "Q", "target_new": "A", "ground_truth": "Was"})
    assert (found[0].prompt, found[0].target_new, found[0].ground_truth) == (
        "The capital of Peru is", "Quito", "Lima",
    )  # fmt: skip
    assert found.unused_columns == ("note",)


@pytest.mark.parametrize("field", ["rephrase_prompt", "rephrase_prompts", "rephrases", "Rephrase"])
def test_a_field_may_be_named_by_any_of_its_names(field: str) -> None:
    found = parse_facts(TABLE, columns={"prompt": "Q", "target": "A", field: "note"})
    assert found[0].rephrase_prompts == ("x",)


def test_what_is_not_said_is_told_from_the_names_and_nothing_can_be_said() -> None:
    content = "prompt,new_answer,answer\nP is,B,C\n"
    assert parse_facts(content, columns={"prompt": "prompt"})[0].ground_truth == "C"
    assert parse_facts(content, columns={"ground_truth": ""})[0].ground_truth == ""
    swapped = parse_facts(content, columns={"target_new": "answer", "ground_truth": "new_answer"})
    assert (swapped[0].target_new, swapped[0].ground_truth) == ("C", "B")


def test_locality_prompts_that_a_person_wants_kept_take_their_answers_along() -> None:
    table = "prompt,answer,loc,loc_ans\nP is,B,Q is | R is,1 | 2\n"
    plain, kept = parse_facts(table)[0], parse_facts(table, columns={"keep_prompt": "loc"})[0]
    assert len(plain.locality_prompts) == 2 and not plain.keep_prompts
    assert kept.keep_prompts == plain.locality_prompts and not kept.locality_prompts


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"prompt": "Question"}, ["no column 'Question'", "'Q', 'A', 'Was', 'note'"]),
        ({"prompts of all": "Q"}, ["no field 'prompts of all'", "prompt, target_new"]),
        ({"prompt": "Q"}, ["No column for target_new", "say which column"]),
    ],
)
def test_what_is_said_wrongly_is_answered_with_what_there_is(
    table: Path, columns: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(FactsError) as caught:
        read_facts(table, columns)
    for word in words:
        assert word in str(caught.value)


def test_a_guess_shows_columns_fields_and_the_first_rows(table: Path) -> None:
    guess = guess_columns(table)
    assert (guess.format, guess.columns) == ("own table, CSV, comma", ("Q", "A", "Was", "note"))
    assert not guess.complete and guess.fields["prompt"] == ""
    assert guess.preview[0] == ("The capital of Peru is", "Quito", "Lima", "x")
    said = {**guess.fields, "prompt": "Q", "target_new": "A"}
    assert len(read_facts(table, said)) == 2


def test_a_guess_that_is_right_reads_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("question,new_answer,note\nP is,B,x\n" * 1 + "Q is,C,y\n" * 9, encoding="utf-8")
    guess = guess_columns(path)
    assert guess.complete and not guess.published
    assert (guess.fields["prompt"], guess.fields["target_new"]) == ("question", "new_answer")
    assert len(guess.preview) == 5
    assert list(read_facts(path, guess.fields)) == list(read_facts(path))


def test_of_a_published_format_nothing_has_to_be_said() -> None:
    guess = guess_columns(Path(__file__).parent / "samples" / "mquake.json")
    assert guess.complete and guess.published
    assert guess.format == "MQuAKE"
    assert guess.fields["prompt"] == "requested_rewrite.prompt"
    assert all(len(row) == len(guess.columns) for row in guess.preview)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("Frage,neue Antwort,Antwort,Thema,Umformulierung", "German"),
        ("Question,Nouvelle réponse,Ancienne réponse,Sujet,Reformulation", "French"),
        ("Pregunta,Respuesta nueva,Respuesta,Tema,Paráfrasis", "Spanish"),
        ("问题,新答案,旧答案,主题,改写", "Chinese, simplified"),
        ("提問,新答案,舊答案,主題,改寫", "Chinese, traditional"),
        ("質問,新しい答え,正解,対象,言い換え", "Japanese"),
        ("Вопрос,Новый ответ,Старый ответ,Тема,Перефразировка", "Russian"),
    ],
)
def test_headers_of_other_languages_are_understood(header: str, language: str) -> None:
    fact = parse_facts(f"{header}\nThe capital of Peru is,Quito,Lima,Peru,Peru's capital is\n")[0]
    assert (fact.prompt, fact.target_new, fact.ground_truth, fact.subject) == (
        "The capital of Peru is", "Quito", "Lima", "Peru",
    )  # fmt: skip
    assert fact.rephrase_prompts == ("Peru's capital is",)


@pytest.mark.parametrize(
    "header", ["Frage;Antwort", "énoncé;réponse", "pregunta;respuesta", "输入;输出", "質問;答え",
               "вопрос;ответ", "ＰＲＯＭＰＴ;Ａｎｓｗｅｒ", "e\u0301nonce\u0301;re\u0301ponse"],
)  # fmt: skip
def test_a_question_and_an_answer_are_enough_in_any_form_of_their_letters(header: str) -> None:
    assert parse_facts(f"{header}\nIce is made of;iron\n")[0].target_new == "iron"


def test_no_name_of_a_column_stands_for_two_prompts() -> None:
    trained = ("wordings", "keep_prompts", "keep_answers")
    measured = ("rephrase_prompts", "locality_prompts")
    for part in ("prompt", "target_new", "subject", *measured, *trained):
        for name in TRANSLATED[part]:
            others = {p for p, names in TRANSLATED.items() if p != part and name in names}
            assert not others or (part, others) == ("target_new", {"ground_truth"}), name
