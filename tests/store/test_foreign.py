"""A session from elsewhere: no value in it is taken for what it is not, and none acts by itself."""

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.store.rich import copied, rich_session, rows_of
from workbench.errors import SessionError
from workbench.model.choice import ModelChoice
from workbench.store import Library, Store
from workbench.store.archive import pack, unpack
from workbench.store.store import DATABASE_NAME

HUGE = "x" * 2_000_000
DEEP = "[" * 2_000 + "]" * 2_000


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_session(tmp_path_factory.mktemp("rich"))


@pytest.fixture
def session(rich: Path, tmp_path: Path) -> Path:
    """The database of a copy of it, to be spoiled."""
    (tmp_path / "own").mkdir()
    return copied(rich / DATABASE_NAME, tmp_path / "own" / DATABASE_NAME)


def write(database: Path, sql: str, *values: Any) -> None:
    """Changes a database as somebody with bad intentions would: without its types and rules."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute(sql, values).rowcount > 0


def refusal(database: Path) -> str:
    """The one line with which a session is refused; nothing of it is left behind."""
    target = database.parents[1] / "taken" / "session"
    target.parent.mkdir(exist_ok=True)
    pack(database.parent, database.parents[1] / "session.zip")
    with pytest.raises(SessionError) as caught:
        unpack(database.parents[1] / "session.zip", target)
    assert list(target.parent.iterdir()) == []
    told = str(caught.value)
    assert told.isprintable() and len(told) < 700, told
    return told


def taken(database: Path) -> Store:
    """The session where it was brought in."""
    pack(database.parent, database.parents[1] / "session.zip")
    return Library(database.parents[1] / "elsewhere").bring_in(database.parents[1] / "session.zip")


def test_every_row_of_a_sound_session_arrives_as_it_was(session: Path) -> None:
    before = rows_of(session)
    assert all(before.values()), [name for name, rows in before.items() if not rows]
    after = rows_of(taken(session).folder / DATABASE_NAME)
    same = before.keys() - {"settings", "changes", "imports", "uploads"}
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    changed = {"model", "foreign_model", "opened"}
    kept = [row for row in before["settings"] if row[0] not in changed]
    assert [row for row in after["settings"] if row[0] not in changed] == kept


def test_files_of_another_machine_are_forgotten(session: Path) -> None:
    found = taken(session)
    assert found.uploads.all() == []
    assert {brought.path for brought in found.imports.all()} == {""}


SPOILED: dict[str, tuple[str, Any, str]] = {
    "text for a number": ("UPDATE runs SET facts = ?", "many", "'facts' is not a whole number"),
    "a fraction for a whole number": ("UPDATE probes SET run = ?", 0.5, "'run' is not a whole"),
    "a text for a moment": ("UPDATE jobs SET created = ?", "soon", "'created' is not a number"),
    "a blob for a text": ("UPDATE facts SET subject = ?", b"\xff\xfe", "'subject' is not a text"),
    "infinity": ("UPDATE events SET time = ?", float("inf"), "'time' is out of range"),
    "a moment beyond the calendar": ("UPDATE runs SET ended = ?", 1e15, "no moment in time"),
    "a number below zero": ("UPDATE runs SET facts = ?", -4, "'facts' is out of range"),
    "a number beyond counting": ("UPDATE facts SET import = ?", 2**62, "out of range"),
    "neither yes nor no": ("UPDATE facts SET enabled = ?", 7, "neither 0 nor 1"),
    "a huge text": ("UPDATE facts SET target_new = ?", HUGE, "has 2,000,000 characters"),
    "a huge name": ("UPDATE facts SET source = ?", HUGE, "has 2,000,000 characters"),
    "an empty prompt": ("UPDATE facts SET prompt = ? WHERE id = 3", " ", "row id 3, 'questions'"),
    "questions that are a list": ("UPDATE facts SET questions = ?", "[]", "'questions' cannot be"),
    "a question of numbers": ("UPDATE facts SET questions = ?", '{"rephrase": [1]}', "rephrase"),
    "problems of another form": ("UPDATE facts SET problems = ?", '[{"row": 1}]', "'problems'"),
    "a wording of numbers": ("UPDATE facts SET questions = ?", '{"wordings": [1]}', "wordings"),
    "an answer alone": ("UPDATE facts SET questions = ?", '{"keep": [["a"]]}', "'questions' can"),
    "no JSON": ("UPDATE facts SET questions = ?", "{", "'questions' cannot be read"),
    "nested JSON": ("UPDATE jobs SET result = ?", f'{{"x": {DEEP}}}', "'result' cannot be read"),
    "half a character": ("UPDATE jobs SET result = ?", '{"x": "\\ud800"}', "cannot be read"),
    "a number without end": ("UPDATE jobs SET result = ?", f'{{"x": {"9" * 5000}}}', "'result'"),
    "a kind of job that is none": ("UPDATE jobs SET kind = ?", "shell", "is 'shell'; it must be"),
    "a state that is none": ("UPDATE jobs SET state = ?", "<b>", "is '<b>'; it must be one of"),
    "a request of another form": ("UPDATE jobs SET params = ?", '{"probes": "all"}', "'params'"),
    "a run in no state": ("UPDATE runs SET state = ?", "won", "is 'won'"),
    "settings of a run": ("UPDATE runs SET settings = ?", '{"epochs": "x"}', "'settings'"),
    "settings with a stranger": ("UPDATE runs SET settings = ?", '{"shell": "rm"}', "shell"),
    "places that are numbers": ("UPDATE runs SET places = ?", "[1]", "'places'"),
    "metrics of texts": ("UPDATE runs SET metrics = ?", '{"after": {"x": "<b>"}}', "'metrics'"),
    "an outcome of texts": ("UPDATE runs SET outcome = ?", '{"losses": "0.1"}', "'outcome'"),
    "an event of texts": (
        "UPDATE events SET event = ?",
        '{"event": "EpochDone", "epoch": "1", "epochs": 2, "loss": 1, "learned": 1, "seconds": 1}',
        "'event' cannot be read",
    ),
    "an event without a name": ("UPDATE events SET event = ?", "{}", "'event' cannot be read"),
    "an answer without its text": ("UPDATE probes SET before = ?", '{"top": []}', "'before'"),
    "likeliest tokens of texts": (
        "UPDATE probes SET after = ?",
        '{"text": "", "top": [["a", "b"]]}',
        "'after' cannot be read",
    ),
    "a part answer": ("UPDATE probes SET partial = ?", '{"before": 3}', "'partial'"),
    "a role that is none": ("UPDATE probes SET role = ?", "judge", "is 'judge'"),
    "a pinned answer": ("UPDATE pinned_answers SET answer = ?", "{}", "row probe 1, run 1, epoch"),
    "a scan": ("UPDATE scans SET result = ?", '{"rows": []}', "'result'"),
    "an answer in a conversation": ("UPDATE turns SET answers = ?", '{"1": "Hi"}', "'answers'"),
    "who answers a conversation": ("UPDATE talks SET runs = ?", '["all"]', "'runs'"),
    "curves of unlike lengths": (
        "UPDATE jobs SET result = json_remove(result, ?) WHERE result LIKE '%curves%'",
        "$.curves[0].after[1]",
        "value for every layer",
    ),
    "a place that is none": (
        "UPDATE jobs SET result = json_set(result, '$.at[0]', ?) WHERE result LIKE '%curves%'",
        "<b>",
        "'result' cannot be read",
    ),
    "what a run moved": (
        "UPDATE jobs SET result = json_remove(result, ?) WHERE result LIKE '%\"kl\"%'",
        "$.rows[0].kl",
        "'result' cannot be read",
    ),
    "the texts of a first batch": (
        "UPDATE jobs SET result = json_set(result, ?, 3) WHERE result LIKE '%prompts%'",
        "$.texts",
        "'result' cannot be read",
    ),
    "settings of a first batch": (
        "UPDATE jobs SET params = json_set(params, ?, 'x') WHERE params LIKE '%method%'"
        " AND kind = 'look'",
        "$.settings.epochs",
        "'params' cannot be read",
    ),
    "settings of a sweep": ("UPDATE sweeps SET settings = ?", '{"sample": -1}', "'settings'"),
    "the plan of a sweep": ("UPDATE sweeps SET plan = ?", '{"event": "Stopped"}', "'plan'"),
    "a row of a sweep": ("UPDATE sweep_rows SET row = ?", '{"event": "LocationDone"}', "'row'"),
    "a report without its parts": ("UPDATE evaluations SET report = ?", "{}", "'report'"),
    "a row of an evaluation": ("UPDATE evaluation_rows SET row = ?", '{"fact": 0}', "'row'"),
    "settings of a study": ("UPDATE studies SET settings = ?", '{"kind": "x"}', "'settings'"),
    "an event of a study": ("UPDATE study_events SET event = ?", '{"event": "Nothing"}', "'event'"),
    "columns of an import": ("UPDATE imports SET columns = ?", "[]", "'columns'"),
    "a kind of problem": ("UPDATE import_problems SET kind = ?", "x", "is 'x'; it must be one of"),
    "how bad a problem is": ("UPDATE import_problems SET severity = ?", "fatal", "is 'fatal'"),
    "an option from nowhere": (
        "UPDATE import_conflicts SET options = json_remove(options, ?)",
        "$[0].rows",
        "from which rows",
    ),
    "a share without its count": (
        "UPDATE study_events SET event = json_remove(event, ?)",
        "$.after.reliability_strict.count",
        "'event' cannot be read",
    ),
    "a share by no protocol": (
        "UPDATE evaluations SET report = json_set(report, '$.evaluation.intervals.before.x',"
        " json(?))",
        '{"value": 0, "low": 0, "high": 0, "count": 0}',
        "how it was measured",
    ),
    "no options": ("UPDATE import_conflicts SET options = ?", "[]", "no option"),
    "what a fact was": ("UPDATE import_conflicts SET was = ? WHERE chosen", "{}", "'was'"),
    "the count of changes": ("UPDATE changes SET count = ?", "x", "'count' is not a whole"),
    "what is counted": ("UPDATE changes SET name = ? WHERE name = 'facts'", "x", "other tables"),
    "the count of rows": ("UPDATE sqlite_sequence SET seq = ?", 2**63 - 1, "counts the rows"),
    "a row of a run that is gone": ("UPDATE events SET run = ?", 99, "rows that are not there"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILED)
def test_a_value_that_no_session_has_is_refused_by_its_row(session: Path, kind: str) -> None:
    sql, value, told = SPOILED[kind]
    write(session, sql, value)
    assert told in refusal(session)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", f'"{"x" * 2000}"'),
        ("opened", "Infinity"),
        ("opened", "null"),
        ("shown_run", '"1"'),
        ("before_run", "[1]"),
        ("hidden_run", "1.5"),
        ("compared_runs", '{"a": 1}'),
        ("pinned_runs", '["1"]'),
        ("run_colours", '{"<b>": 1}'),
        ("scatter_axes", '{"x": 1}'),
        ("rephrased", '[{"fact": 1, "prompt": "a", "said": 2}]'),
        ("sweep_weights", '["1"]'),
        ("asked_facts", '{"facts": "<b>"}'),
        ("columns_of_files", "[]"),
        ("largest_import", '"all"'),
        ("dismissed_job", "{}"),
        ("edit:locft-bf", '{"epochs": []}'),
        ("probe", '{"top_k": "5"}'),
        ("sweep", '{"layers": "all"}'),
        ("study", '{"kind": 1}'),
        ("evaluation", '{"seed": 0.5}'),
        ("model", f'{{"name": "{"x" * 2000}"}}'),
        ("model", '{"device": 3}'),
    ],
    ids=range(23),
)
def test_a_setting_that_no_session_has_is_refused_by_its_name(
    session: Path, name: str, value: str
) -> None:
    write(session, "INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)
    told = refusal(session)
    assert "settings in this file" in told and f"'{name}'" in told


def test_a_setting_of_a_later_version_is_let_be(session: Path) -> None:
    write(session, "INSERT INTO settings VALUES ('of tomorrow', '{\"x\": 1}')")
    assert taken(session).settings.get("of tomorrow") == {"x": 1}


@pytest.mark.parametrize("name", ["summary", "estimate"])
def test_what_is_found_out_anew_is_forgotten_where_it_cannot_be_read(
    session: Path, name: str
) -> None:
    write(session, "INSERT OR REPLACE INTO settings VALUES (?, ?)", name, '{"layers": "<b>"}')
    found = taken(session)
    assert found.settings.get(name) is None


def named(session: Path, choice: ModelChoice) -> Path:
    write(
        session,
        "INSERT OR REPLACE INTO settings VALUES ('model', ?)",
        json.dumps(choice.as_dict()),
    )
    return session


@pytest.mark.parametrize("name", ["some/model", "/srv/models/mine", "..", "\\\\host\\share"])
def test_the_model_of_a_session_from_elsewhere_is_only_a_name(session: Path, name: str) -> None:
    write(session, "INSERT OR REPLACE INTO settings VALUES ('foreign_model', 'false')")
    choice = ModelChoice(name, trust_remote_code=True)
    found = taken(named(session, choice))
    assert found.settings.model == ModelChoice(name)
    assert not found.settings.model_is_confirmed
    found.enter()
    assert found.jobs.open_jobs() == []
    with pytest.raises(SessionError, match="another model"):
        found.settings.confirm_model("other/model")
    found.settings.confirm_model(name)
    assert found.settings.summary is None
    found.enter()
    assert [job.kind for job in found.jobs.open_jobs()] == ["load"]


def test_the_built_in_model_needs_no_confirmation(session: Path) -> None:
    found = taken(named(session, ModelChoice()))
    assert found.settings.model_is_confirmed


def test_choosing_another_model_is_an_answer_too(session: Path) -> None:
    found = taken(named(session, ModelChoice("some/model")))
    found.settings.choose_model(ModelChoice("my/model"))
    assert found.settings.model_is_confirmed


def test_a_copy_made_here_asks_nothing_and_one_of_a_foreign_session_asks_still(
    session: Path, tmp_path: Path
) -> None:
    library = Library(tmp_path / "elsewhere")
    foreign = taken(named(session, ModelChoice("some/model")))
    assert not library.duplicate(foreign.id).settings.model_is_confirmed
    foreign.settings.confirm_model("some/model")
    assert library.duplicate(foreign.id).settings.model_is_confirmed


def test_what_waits_or_runs_in_a_foreign_session_never_goes_on(session: Path) -> None:
    write(session, "UPDATE jobs SET state = 'queued'")
    for table in ("runs", "sweeps", "studies"):
        write(session, f"UPDATE {table} SET state = 'running'")
    found = taken(session)
    assert found.jobs.open_jobs() == []
    assert {run.state for run in found.runs.all()} == {"interrupted"}
    assert {sweep.state for sweep in found.profiles.sweeps("builtin")} == {"interrupted"}
    assert {study.state for study in found.studies.all()} == {"interrupted"}


def test_a_manifest_alone_makes_no_session(session: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("session.json", json.dumps({"format": "locft-session-1"}))
        archive.writestr(DATABASE_NAME, b"")
    with pytest.raises(SessionError, match="not that of a session"):
        unpack(tmp_path / "empty.zip", tmp_path / "new")
