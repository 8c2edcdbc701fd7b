"""Imports: kept whole with their report or not at all, decided on, and taken back."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import (
    Fact,
    FactFile,
    Question,
    guess_columns,
    parse_facts,
    read_facts,
)
from workbench.facts.length import too_long
from workbench.store import Library, Store
from workbench.store.found import Found
from workbench.store.jobs import Job
from workbench.worker.importer import Importer

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")
FILE = """prompt,target_new
The capital of France is,Lyon
The capital of France is,Lyon
The capital of France is,Nice
The capital of Australia is,Perth
,nothing
The capital of Spain is,Seville
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def read(content: str = FILE) -> FactFile:
    return parse_facts(content)


def answers(store: Store) -> dict[str, str]:
    return {row.fact.prompt.split()[3]: row.fact.target_new for row in store.facts}


def test_the_sums_of_an_import_hold(store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    brought = store.imports.get(store.imports.keep(read(), "places.csv"))
    assert brought.rows == brought.facts + brought.merged + brought.rejected == 6
    assert brought.facts == brought.added + brought.same + brought.against == 3
    again = store.imports.get(store.imports.keep(read(), "places.csv"))
    assert (again.added, again.same, again.against) == (0, 2, 1)


def test_every_problem_is_kept_and_found_by_kind(store: Store) -> None:
    lines = "".join(f",answer {n}\n" for n in range(300))
    number = store.imports.keep(read(f"{FILE}{lines}"), "many.csv")
    kinds = {(kind.severity, kind.kind): kind.number for kind in store.imports.kinds(number)}
    assert kinds["error", "missing"] == 301 and kinds["warning", "merged"] == 1
    page = store.imports.problems(number, 250, 50, "error", "missing")
    assert len(page) == 50 and {problem.kind for problem in page} == {"missing"}
    assert len(store.imports.problems(number)) == sum(kinds.values())


def test_conflicts_in_a_file_and_against_the_table_are_decided_one_by_one(store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    number = store.imports.keep(read(), "places.csv")
    table, inside = store.imports.conflicts.open(number)
    assert table.against and [o.fact.target_new for o in table.options] == ["Melbourne", "Perth"]
    assert not inside.against and [o.rows for o in inside.options] == [(2,), (4,)]
    assert answers(store) == {"Australia": "Melbourne", "France": "Lyon", "Spain": "Seville"}
    store.imports.conflicts.choose(table.id, 1)
    store.imports.conflicts.choose(inside.id, 0)
    assert store.imports.conflicts.count(number) == 0
    assert answers(store) == {"Australia": "Perth", "France": "Lyon", "Spain": "Seville"}
    with pytest.raises(SessionError, match="decided meanwhile"):
        store.imports.conflicts.choose(table.id, 0)


def test_a_file_may_answer_in_several_ways_and_against_the_table(store: Store) -> None:
    store.facts.add([Fact("The capital of France is", "Paris")], "typed")
    number = store.imports.keep(read(), "places.csv")
    (conflict,) = store.imports.conflicts.open(number)
    shown = [(option.fact.target_new, option.rows) for option in conflict.options]
    assert shown == [("Paris", ()), ("Lyon", (2,)), ("Nice", (4,))]


def test_what_looks_the_same_as_a_fact_of_the_table_is_there_already_or_against_it(
    store: Store,
) -> None:
    store.facts.add([AUSTRALIA, Fact("The café is in", "Málaga")], "typed")
    same = "the CAPITAL of Australia is:,melbourne.\nThe cafe\u0301 is in,Ma\u0301laga\n"
    brought = store.imports.get(store.imports.keep(read(f"prompt,answer\n{same}"), "same.csv"))
    assert (brought.facts, brought.added, brought.same, brought.against) == (2, 0, 2, 0)
    other = "the\u200b capital of australia is,Perth\nTHE CAPITAL OF AUSTRALIA IS,Sydney\n"
    number = store.imports.keep(read(f"prompt,answer\n{other}"), "other.csv")
    (conflict,) = store.imports.conflicts.open(number)
    shown = [(option.fact.target_new, option.rows) for option in conflict.options]
    assert conflict.against and shown == [("Melbourne", ()), ("Perth", (2,)), ("Sydney", (3,))]
    store.imports.conflicts.choose(conflict.id, 2)
    assert [row.fact.target_new for row in store.facts] == ["Sydney", "Málaga"]
    assert next(iter(store.facts)).fact.prompt == AUSTRALIA.prompt


def test_of_two_facts_that_look_the_same_the_one_with_the_very_prompt_counts(store: Store) -> None:
    store.facts.add([Fact("A IS", "B"), Fact("a is", "C")], "typed")
    brought = store.imports.get(store.imports.keep(read("prompt,answer\na is,C\n"), "x.csv"))
    assert (brought.same, brought.against, brought.added) == (1, 0, 0)


def test_one_choice_decides_for_all_to_which_it_applies(store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    number = store.imports.keep(read(), "places.csv")
    assert store.imports.conflicts.choose_all(number, "file") == 1
    assert answers(store)["Australia"] == "Perth" and answers(store)["France"] == "Lyon"
    assert store.imports.conflicts.choose_all(number, "last") == 1
    assert answers(store)["France"] == "Nice"


def test_undo_hides_what_was_added_and_brings_back_what_was_replaced(store: Store) -> None:
    store.facts.put(AUSTRALIA, "typed")
    before = [row.fact for row in store.facts]
    number = store.imports.keep(read(), "places.csv")
    store.imports.conflicts.choose_all(number, "last")
    assert answers(store)["Australia"] == "Perth"
    assert store.imports.undo(number) == 2
    assert [row.fact for row in store.facts] == before
    with pytest.raises(SessionError, match="undone already"):
        store.imports.undo(number)


def test_undo_keeps_what_was_changed_since_and_says_how_much(store: Store) -> None:
    store.facts.add([AUSTRALIA], "typed")
    number = store.imports.keep(read(), "places.csv")
    store.imports.conflicts.choose_all(number, "file")
    for row in list(store.facts):
        if "Spain" not in row.fact.prompt:
            store.facts.change(row.id, Fact(row.fact.prompt, "mine"))
    assert store.imports.undo(number) == 1
    assert answers(store) == {"Australia": "mine", "France": "mine"}
    assert store.imports.get(number).kept == 2


def test_an_undone_import_comes_back_like_any_deletion(store: Store) -> None:
    number = store.imports.keep(read(), "places.csv")
    store.imports.undo(number)
    (deletion,) = store.facts.deletions()
    store.facts.restore(deletion.time)
    assert len(answers(store)) == 3
    assert store.imports.get(number).undone is None


def test_an_old_answer_filled_by_the_model_is_no_change_by_a_person(store: Store) -> None:
    number = store.imports.keep(read(), "places.csv")
    asked = [(row.id, row.fact.prompt, "Paris") for row in store.facts]
    store.facts.fill_old_answers(asked, overwrite=False)
    assert store.imports.undo(number) == len(asked)


def test_what_ends_an_import_late_takes_all_of_it_back(store: Store) -> None:
    def fail(number: int) -> None:
        raise SessionError("cancelled")

    with pytest.raises(SessionError):
        store.imports.keep(read(), "places.csv", finish=fail)
    assert store.facts.count() == 0 and store.imports.all() == []


def test_reading_a_file_again_in_another_way_replaces_what_it_brought(store: Store) -> None:
    first = store.imports.keep(read("prompt,target_new\nA is,B\n"), "x.csv")
    store.imports.keep(read("prompt,target_new\nA is,C\n"), "x.csv", replaces=first)
    assert [row.fact.target_new for row in store.facts] == ["C"]
    assert store.imports.get(first).undone is not None


def test_what_is_too_long_stands_with_the_fact_until_it_is_changed(store: Store) -> None:
    (row,) = store.facts.add([Fact("The motto is", "word " * 50)], "file").ids
    ((number, fact),) = store.lengths.unmeasured("model", 10)
    found = too_long([fact], lambda texts: [len(text.split()) for text in texts], None)
    store.lengths.keep("model", [(number, fact, found)])
    assert "50 tokens" in store.facts.get(row).problems[0].what
    assert store.facts.ids(Found(show="doubtful")) == [row]
    assert store.lengths.unmeasured("model", 10) == []
    assert len(store.lengths.unmeasured("another model", 10)) == 1
    store.facts.change(row, Fact("The motto is", "word"))
    assert store.facts.get(row).problems == ()
    assert len(store.lengths.unmeasured("model", 10)) == 1


# ---- files, read by a process of its own

Bring = Callable[..., tuple[Store, int]]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Uploads a file into a session; returns the session and the job's number."""
    library = Library(tmp_path)
    session = library.create("test")
    importer = Importer(library)
    (tmp_path / ".uploads").mkdir()

    def upload(content: str = FILE, name: str = "file.csv", **more: object) -> tuple[Store, int]:
        path = tmp_path / ".uploads" / name
        path.write_text(content, encoding="utf-8")
        return session, importer.start(session, path, name, **more)  # type: ignore[arg-type]

    return upload


def ended(store: Store, job: int) -> Job:
    deadline = time.monotonic() + 600  # a safety net, no more
    while (found := store.jobs.get(job)).is_open:
        assert time.monotonic() < deadline, "the import does not end"
        time.sleep(0.05)
    return found


def big(rows: int) -> str:
    return "prompt,target_new\n" + "".join(f"The number {n} is,{n + 1}\n" for n in range(rows))


def test_a_file_is_read_beside_the_web_process_and_the_worker(bring: Bring) -> None:
    store, job = bring()
    assert store.jobs.next_queued() is None, "the worker must not take it"
    done = ended(store, job)
    assert done.state == "done", done.error
    assert len(answers(store)) == 2 + 1
    assert store.imports.get(done.result["import"]).name == "file.csv"


def test_a_cancelled_import_leaves_the_session_as_it_was(bring: Bring) -> None:
    store, job = bring(big(60_000))
    while not store.jobs.get(job).progress:
        time.sleep(0.02)
    store.jobs.cancel(job)
    assert ended(store, job).state == "cancelled"
    assert store.facts.count() == 0 and store.imports.all() == []


@pytest.mark.kill
def test_a_killed_import_leaves_the_session_as_it_was_and_says_so(bring: Bring) -> None:
    store, job = bring(big(60_000))
    while not store.jobs.get(job).progress:
        time.sleep(0.02)
    row = store._database.row("SELECT worker FROM jobs WHERE id = ?", (job,))
    assert row is not None
    os.kill(int(row["worker"].removeprefix("import-")), signal.SIGKILL)
    failed = ended(store, job)
    assert failed.state == "failed" and "Nothing of it was kept" in failed.error
    assert store.facts.count() == 0
    store, job = bring(name="after.csv")
    assert ended(store, job).state == "done"


def test_a_file_that_cannot_be_read_says_why(bring: Bring) -> None:
    store, job = bring("[[[[", "broken.json")
    failed = ended(store, job)
    assert failed.state == "failed" and failed.error
    assert store.jobs.troubled("import", 0) == [failed]


def test_a_file_outside_the_sessions_folder_is_never_read(bring: Bring, tmp_path: Path) -> None:
    store, _ = bring()
    foreign = tmp_path.parent / "foreign.csv"
    foreign.write_text(FILE, encoding="utf-8")
    job = store.jobs.submit("import", {"path": str(foreign), "name": "foreign.csv"})
    from workbench.worker.import_file import main

    main_says = main_in_process(main, tmp_path, store, job)
    assert main_says.state == "failed" and "Upload it again" in main_says.error


def main_in_process(main: Callable[[list[str]], int], root: Path, store: Store, job: int) -> Job:
    import subprocess
    import sys

    command = [sys.executable, "-m", main.__module__, str(root), store.id, str(job)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    found = ended(store, job)
    process.wait(timeout=600)
    assert process.stdin is not None
    process.stdin.close()
    return found


@pytest.mark.slow
def test_unknown_columns_wait_to_be_named_and_are_remembered(bring: Bring) -> None:
    content = "Kysymys,Vastaus\nThe capital of France is,Lyon\n"
    store, job = bring(content, "fremd.csv")
    ended(store, job)
    (upload,) = store.uploads.all()
    assert upload.guess.columns == ("Kysymys", "Vastaus") and store.facts.count() == 0
    store.uploads.assign(upload.id, "prompt", "Kysymys")
    store.uploads.assign(upload.id, "target_new", "Vastaus")
    store.uploads.remember(store.uploads.get(upload.id))
    assert store.uploads.remembered(guess_columns(upload.path)) is not None
    store, job = bring(content, "noch eine.csv")
    assert ended(store, job).state == "done"
    assert answers(store) == {"France": "Lyon"}


def test_a_column_holds_one_thing(bring: Bring) -> None:
    store, job = bring("a,b\nx,y\n", "ab.csv")
    ended(store, job)
    (upload,) = store.uploads.all()
    store.uploads.assign(upload.id, "prompt", "a")
    store.uploads.assign(upload.id, "subject", "a")
    fields = store.uploads.get(upload.id).fields
    assert fields["prompt"] == "" and fields["subject"] == "a"
    with pytest.raises(SessionError, match="no column 'c'"):
        store.uploads.assign(upload.id, "prompt", "c")


def test_locality_prompts_that_are_to_be_kept_take_their_answers_along(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("prompt,answer,loc,loc_ans\nP is,B,Q is | R is,1 | 2\n", encoding="utf-8")
    upload = store.uploads.add("file.csv", str(file), guess_columns(file))
    store.uploads.assign(upload, "keep_prompt", "loc")
    (fact,) = read_facts(file, store.uploads.get(upload).fields)
    assert fact.keep_prompts == (Question("Q is", "1"), Question("R is", "2"))
    assert not fact.locality_prompts
    store.uploads.assign(upload, "locality_prompt", "loc")
    assert store.uploads.get(upload).fields == guess_columns(file).fields
