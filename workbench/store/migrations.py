"""The steps that bring a session's database from one version of its tables to the next.

Invariant: a step is never changed once released; a change of the tables is a new one at the end.
Knows nothing about what the rows mean to the page or the worker.
"""

__all__ = ["MIGRATIONS"]

# Tables whose changes are counted.
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


_SAID = ("prompt", "target_new", "subject", "ground_truth", "questions")


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
        # What a fact said before it was changed, by whomever. `change` is the moment that the fact
        # remembers of it where a person did so, which a change of many facts has in common.
        """
        CREATE TABLE fact_versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            fact INTEGER NOT NULL,
            until REAL NOT NULL,
            change REAL,
            changed REAL,
            prompt TEXT NOT NULL,
            target_new TEXT NOT NULL,
            subject TEXT NOT NULL,
            ground_truth TEXT NOT NULL,
            questions TEXT NOT NULL
        )
        """,
        "CREATE INDEX fact_versions_by_fact ON fact_versions (fact)",
        "CREATE INDEX fact_versions_by_change ON fact_versions (change) WHERE change IS NOT NULL",
        f"CREATE TRIGGER keep_fact_version AFTER UPDATE OF {', '.join(_SAID)} ON facts"
        f" WHEN {' OR '.join(f'old.{name} != new.{name}' for name in _SAID)} BEGIN"
        f" INSERT INTO fact_versions (fact, until, change, changed, {', '.join(_SAID)})"
        " VALUES (old.id, (julianday('now') - 2440587.5) * 86400.0,"
        " CASE WHEN new.changed IS NOT old.changed THEN new.changed END, old.changed,"
        f" {', '.join(f'old.{name}' for name in _SAID)}); END",
    ),
    (
        # Conversations that the base and some runs answer side by side.
        """
        CREATE TABLE talks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL,
            chat INTEGER NOT NULL,
            system TEXT NOT NULL DEFAULT '',
            runs TEXT NOT NULL DEFAULT '[]',
            created REAL NOT NULL
        )
        """,
        """
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            talk INTEGER NOT NULL REFERENCES talks (id) ON DELETE CASCADE,
            said TEXT NOT NULL,
            answers TEXT NOT NULL DEFAULT '{}',
            partial TEXT NOT NULL DEFAULT '{}',
            job INTEGER REFERENCES jobs (id)
        )
        """,
        "CREATE INDEX turns_by_talk ON turns (talk, id)",
        "INSERT INTO changes (name) VALUES ('talks')",
        *(_trigger("talks", "talks", when) for when in ("INSERT", "UPDATE", "DELETE")),
        *(_trigger("talks", "turns", when) for when in ("INSERT", "UPDATE", "DELETE")),
    ),
    (
        # The earlier run to whose edit a run adds its facts; see `run_rows.RunOnto`.
        "ALTER TABLE runs ADD COLUMN onto TEXT",
    ),
)
