"""The tables of a session, and the steps that bring an older database up to date.

Invariant: a database is always at a whole version; a step is applied entirely or not at all.
Knows nothing about what the rows mean to the page or the worker.
"""

import sqlite3
from pathlib import Path

from workbench.errors import SessionError

__all__ = ["COUNTED", "SCHEMA_VERSION", "connect", "migrate"]

COUNTED = ("facts", "jobs", "probes", "runs", "settings")


def _counting_triggers() -> tuple[str, ...]:
    """Triggers that count the changes of each table, so that a page can tell what is stale.

    A job's progress is left out: it changes all the time, and whoever shows it reads it anyway.
    """
    whens = {table: ["INSERT", "UPDATE", "DELETE"] for table in COUNTED}
    whens["jobs"] = ["INSERT", "UPDATE OF state, cancel_asked"]
    triggers = [_trigger(table, table, when) for table in COUNTED for when in whens[table]]
    triggers.append(_trigger("runs", "run_facts", "UPDATE"))
    triggers.append(_trigger("probes", "pinned_answers", "INSERT"))
    return tuple(triggers)


def _trigger(counted: str, table: str, when: str) -> str:
    return (
        f"CREATE TRIGGER count_{table}_{when.split()[0].lower()} AFTER {when} ON {table} BEGIN"
        f" UPDATE changes SET count = count + 1 WHERE name = '{counted}'; END"
    )


# Each entry brings a database from the version before it to its own. Entries are never changed
# once released; a change of the schema is a new entry at the end.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE settings (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE facts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            prompt TEXT NOT NULL,
            target_new TEXT NOT NULL,
            subject TEXT NOT NULL DEFAULT '',
            ground_truth TEXT NOT NULL DEFAULT '',
            questions TEXT NOT NULL DEFAULT '{}',
            enabled INTEGER NOT NULL DEFAULT 1,
            source TEXT NOT NULL DEFAULT '',
            deleted REAL
        )
        """,
        "CREATE UNIQUE INDEX facts_one_per_prompt ON facts (prompt) WHERE deleted IS NULL",
        """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            params TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'queued',
            progress REAL,
            line TEXT NOT NULL DEFAULT '',
            result TEXT,
            error TEXT NOT NULL DEFAULT '',
            worker TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            started REAL,
            ended REAL,
            cancel_asked REAL
        )
        """,
        "CREATE INDEX jobs_by_state ON jobs (state, id)",
        """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job INTEGER REFERENCES jobs (id),
            state TEXT NOT NULL,
            model TEXT NOT NULL,
            settings TEXT NOT NULL,
            facts INTEGER NOT NULL,
            metrics TEXT NOT NULL DEFAULT '{}',
            outcome TEXT NOT NULL DEFAULT '{}',
            created REAL NOT NULL,
            ended REAL
        )
        """,
        """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            time REAL NOT NULL,
            event TEXT NOT NULL
        )
        """,
        "CREATE INDEX events_by_run ON events (run, id)",
        """
        CREATE TABLE run_facts (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            fact INTEGER NOT NULL,
            target_new TEXT NOT NULL,
            learned INTEGER,
            before TEXT,
            after TEXT,
            PRIMARY KEY (run, fact)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE probes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            prompt TEXT NOT NULL,
            chat INTEGER NOT NULL DEFAULT 0,
            pinned INTEGER NOT NULL DEFAULT 0,
            job INTEGER REFERENCES jobs (id),
            model TEXT NOT NULL DEFAULT '',
            run INTEGER,
            before TEXT,
            after TEXT,
            created REAL NOT NULL
        )
        """,
        """
        CREATE TABLE pinned_answers (
            probe INTEGER NOT NULL REFERENCES probes (id) ON DELETE CASCADE,
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            epoch INTEGER NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (probe, run, epoch)
        ) WITHOUT ROWID
        """,
        "CREATE TABLE changes (name TEXT PRIMARY KEY, count INTEGER NOT NULL DEFAULT 0)",
        *(f"INSERT INTO changes (name) VALUES ('{name}')" for name in COUNTED),
        *_counting_triggers(),
    ),
    (
        "ALTER TABLE facts ADD COLUMN problems TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE probes ADD COLUMN before_run INTEGER",
        "ALTER TABLE probes ADD COLUMN fact INTEGER",
        "ALTER TABLE probes ADD COLUMN role TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE probes ADD COLUMN partial TEXT",
        "CREATE INDEX probes_by_job ON probes (job)",
    ),
    (
        """
        CREATE TABLE scans (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL,
            result TEXT NOT NULL,
            created REAL NOT NULL
        )
        """,
        """
        CREATE TABLE sweeps (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job INTEGER REFERENCES jobs (id),
            state TEXT NOT NULL,
            model TEXT NOT NULL,
            settings TEXT NOT NULL,
            identity TEXT NOT NULL,
            plan TEXT NOT NULL,
            created REAL NOT NULL,
            ended REAL
        )
        """,
        "CREATE INDEX sweeps_by_identity ON sweeps (identity)",
        """
        CREATE TABLE sweep_rows (
            place INTEGER PRIMARY KEY AUTOINCREMENT,
            sweep INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
            row TEXT NOT NULL
        )
        """,
        "CREATE INDEX sweep_rows_by_sweep ON sweep_rows (sweep, place)",
        "INSERT INTO changes (name) VALUES ('profiles')",
        _trigger("profiles", "scans", "INSERT"),
        *(_trigger("profiles", "sweeps", when) for when in ("INSERT", "UPDATE", "DELETE")),
        _trigger("profiles", "sweep_rows", "INSERT"),
    ),
    (
        "ALTER TABLE run_facts ADD COLUMN learned_in INTEGER",
        """
        CREATE TABLE evaluations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run INTEGER REFERENCES runs (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            settings TEXT NOT NULL,
            report TEXT NOT NULL,
            created REAL NOT NULL
        )
        """,
        """
        CREATE TABLE evaluation_rows (
            evaluation INTEGER NOT NULL REFERENCES evaluations (id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            fact INTEGER NOT NULL,
            role TEXT NOT NULL,
            prompt TEXT NOT NULL,
            failed INTEGER NOT NULL,
            row TEXT NOT NULL,
            PRIMARY KEY (evaluation, place)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX evaluation_rows_by_failed ON evaluation_rows (evaluation, failed, role)",
        """
        CREATE TABLE studies (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job INTEGER REFERENCES jobs (id),
            state TEXT NOT NULL,
            model TEXT NOT NULL,
            settings TEXT NOT NULL,
            identity TEXT NOT NULL,
            asked TEXT NOT NULL,
            created REAL NOT NULL,
            ended REAL
        )
        """,
        """
        CREATE TABLE study_events (
            place INTEGER PRIMARY KEY AUTOINCREMENT,
            study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
            event TEXT NOT NULL
        )
        """,
        "CREATE INDEX study_events_by_study ON study_events (study, place)",
        "INSERT INTO changes (name) VALUES ('evaluations'), ('studies')",
        *(_trigger("evaluations", "evaluations", when) for when in ("INSERT", "UPDATE", "DELETE")),
        *(_trigger("studies", "studies", when) for when in ("INSERT", "UPDATE", "DELETE")),
        _trigger("studies", "study_events", "INSERT"),
    ),
    (
        # Which import a fact came with, when a person changed it since, and what is too long in
        # it for the model whose tokens were counted last.
        "ALTER TABLE facts ADD COLUMN import INTEGER",
        "ALTER TABLE facts ADD COLUMN changed REAL",
        "ALTER TABLE facts ADD COLUMN lengths TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE facts ADD COLUMN measured TEXT",
        "ALTER TABLE facts ADD COLUMN doubtful INTEGER"
        " GENERATED ALWAYS AS (problems != '[]' OR lengths != '[]') VIRTUAL",
        "ALTER TABLE facts ADD COLUMN unanswered INTEGER"
        " GENERATED ALWAYS AS (ground_truth = '') VIRTUAL",
        # Numbers over a hundred thousand facts are told from this index, without the wide rows.
        "CREATE INDEX facts_overview ON facts (enabled, doubtful, unanswered)"
        " WHERE deleted IS NULL",
        "CREATE INDEX facts_deleted ON facts (deleted) WHERE deleted IS NOT NULL",
        "CREATE INDEX facts_by_import ON facts (import) WHERE import IS NOT NULL",
        "DROP TRIGGER count_facts_update",
        _trigger(
            "facts",
            "facts",
            "UPDATE OF prompt, target_new, subject, ground_truth, questions, problems, enabled,"
            " source, deleted, import, lengths",
        ),
        """
        CREATE TABLE imports (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            format TEXT NOT NULL,
            rows INTEGER NOT NULL,
            facts INTEGER NOT NULL,
            merged INTEGER NOT NULL,
            rejected INTEGER NOT NULL,
            added INTEGER NOT NULL,
            same INTEGER NOT NULL,
            against INTEGER NOT NULL,
            unused TEXT NOT NULL DEFAULT '[]',
            columns TEXT NOT NULL DEFAULT '{}',
            path TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            undone REAL,
            kept INTEGER NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE import_problems (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
            row INTEGER NOT NULL,
            field TEXT NOT NULL,
            what TEXT NOT NULL,
            mend TEXT NOT NULL,
            severity TEXT NOT NULL,
            kind TEXT NOT NULL
        )
        """,
        "CREATE INDEX import_problems_by_kind ON import_problems (import, severity, kind)",
        """
        CREATE TABLE import_conflicts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
            fact INTEGER NOT NULL,
            against INTEGER NOT NULL,
            options TEXT NOT NULL,
            chosen INTEGER,
            was TEXT,
            moment REAL
        )
        """,
        "CREATE INDEX import_conflicts_by_import ON import_conflicts (import, chosen)",
        """
        CREATE TABLE uploads (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            path TEXT NOT NULL,
            guess TEXT NOT NULL,
            fields TEXT NOT NULL,
            replaces INTEGER
        )
        """,
        "INSERT INTO changes (name) VALUES ('imports')",
        *(_trigger("imports", "imports", when) for when in ("INSERT", "UPDATE")),
        _trigger("imports", "import_conflicts", "UPDATE"),
        *(_trigger("imports", "uploads", when) for when in ("INSERT", "UPDATE", "DELETE")),
    ),
    (
        # By which method a run was made, and which places it changed.
        "ALTER TABLE runs ADD COLUMN method TEXT NOT NULL DEFAULT 'locft-bf'",
        "ALTER TABLE runs ADD COLUMN places TEXT NOT NULL DEFAULT '[]'",
        "UPDATE runs SET places = coalesce(json_extract(settings, '$.at'), '[]')",
    ),
    (
        # In which encoding a file of text was read, so that a person can choose another one.
        "ALTER TABLE imports ADD COLUMN encoding TEXT NOT NULL DEFAULT ''",
    ),
    (
        # Whether any ticked fact has prompts that must stay is told without the wide rows.
        "CREATE INDEX facts_keeping ON facts (enabled)"
        " WHERE deleted IS NULL AND instr(questions, '\"keep\":') > 0",
    ),
    (
        # The earlier run to whose edit a run adds its facts; see `run_rows.RunOnto`.
        "ALTER TABLE runs ADD COLUMN onto TEXT",
    ),
)

SCHEMA_VERSION = len(MIGRATIONS)


def connect(path: Path) -> sqlite3.Connection:
    """Opens a session's database for several processes at once; statements commit by themselves.

    Write-ahead logging lets the page read while the worker writes, and what was committed
    outlives a killed process.
    """
    connection = sqlite3.connect(path, timeout=15, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Brings the database to `SCHEMA_VERSION`.

    Args:
        connection: from `connect`.
        name: how to call the session in an error.

    Raises:
        SessionError: a newer workbench made this session.
    """
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise SessionError(
            f"The session '{name}' was made by a newer workbench (format {version}, this one "
            f"knows {SCHEMA_VERSION}). Update the workbench to open it."
        )
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have migrated meanwhile.
        for number in range(_version(connection), SCHEMA_VERSION):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
