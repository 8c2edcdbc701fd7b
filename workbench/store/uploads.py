"""Files that were uploaded and wait for somebody to say which column holds what.

Invariant: a column is chosen for one field at most. Reads no files.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import SessionError
from workbench.facts.columns import ANSWERED, FIELDS
from workbench.facts.guess import ColumnGuess
from workbench.store.database import Database, to_json
from workbench.store.settings import Settings

__all__ = ["Upload", "UploadTable", "uploaded_file"]

_REMEMBERED = "columns_of_files"
_ANSWERED = {FIELDS[prompts]: FIELDS[answers] for prompts, answers in ANSWERED.items()}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits for somebody to say which column holds what.

    Args:
        id: number in its session.
        name: the file's name.
        path: where it lies.
        guess: what its columns seem to hold.
        fields: the column of each field, as chosen so far.
        replaces: the import that is undone when the file is read again; None for none.
    """

    id: int
    name: str
    path: str
    guess: ColumnGuess
    fields: dict[str, str]
    replaces: int | None


class UploadTable:
    """The waiting files of one session."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settings = Settings(database)

    def add(self, name: str, path: str, guess: ColumnGuess, replaces: int | None = None) -> int:
        """Keeps a file until somebody says which column holds what; returns the upload's id."""
        cursor = self._database.write(
            "INSERT INTO uploads (name, path, guess, fields, replaces) VALUES (?, ?, ?, ?, ?)",
            (name, path, _guess_json(guess), to_json(dict(guess.fields)), replaces),
        )
        return int(cursor.lastrowid or 0)

    def all(self) -> list[Upload]:
        """The files that wait, in the order in which they came."""
        rows = self._database.rows("SELECT * FROM uploads ORDER BY id")
        return [_upload(row) for row in rows]

    def get(self, number: int) -> Upload:
        """One file that waits.

        Raises:
            SessionError: it waits no more.
        """
        for upload in self.all():
            if upload.id == number:
                return upload
        raise SessionError("This file does not wait any more. Refresh the page.")

    def assign(self, number: int, field: str, column: str) -> None:
        """Says which column of a waiting file holds a field; an empty column for none.

        Raises:
            SessionError: it waits no more, or has no such field or column.
        """
        upload = self.get(number)
        if field not in upload.fields or (column and column not in upload.guess.columns):
            raise SessionError(f"There is no field '{field}' or no column '{column}'.")
        # A column can hold one thing: what had it before loses it.
        fields = {
            name: "" if column and chosen == column else chosen
            for name, chosen in upload.fields.items()
        }
        fields[field] = column
        _take_answers_along(upload.fields, fields, field)
        self._database.write(
            "UPDATE uploads SET fields = ? WHERE id = ?", (to_json(fields), number)
        )

    def guess_again(self, number: int, guess: ColumnGuess) -> None:
        """Keeps another look at a waiting file; what was chosen stays where its column is there.

        Raises:
            SessionError: it waits no more.
        """
        chosen = self.get(number).fields
        fields = {
            field: chosen[field] if chosen.get(field) in guess.columns else column
            for field, column in guess.fields.items()
        }
        self._database.write(
            "UPDATE uploads SET guess = ?, fields = ? WHERE id = ?",
            (_guess_json(guess), to_json(fields), number),
        )

    def forget(self, number: int) -> None:
        """Lets a waiting file go."""
        self._database.write("DELETE FROM uploads WHERE id = ?", (number,))

    def remember(self, upload: Upload) -> None:
        """Keeps what was chosen for a file, for the next one that has the same columns."""
        known = self._settings.get(_REMEMBERED, {})
        self._settings.set(_REMEMBERED, {**known, _same_columns(upload.guess): upload.fields})

    def remembered(self, guess: ColumnGuess) -> dict[str, str] | None:
        """What was chosen for an earlier file with the same columns; None for nothing."""
        known: dict[str, dict[str, str]] = self._settings.get(_REMEMBERED, {})
        return known.get(_same_columns(guess))


def _take_answers_along(before: dict[str, str], fields: dict[str, str], field: str) -> None:
    """Where prompts were given another meaning, their answers get it as well.

    Args:
        before: the column of each field until now.
        fields: the columns from now on, which are changed.
        field: what was given a column.
    """
    answers = _ANSWERED.get(field, "")
    for other, beside in _ANSWERED.items():
        moved = before.get(other) and before[other] == fields[field] and other != field
        if moved and fields.get(beside) and not fields.get(answers, "-"):
            fields[answers], fields[beside] = fields[beside], ""


def _same_columns(guess: ColumnGuess) -> str:
    return to_json(sorted(guess.columns))


def _guess_json(guess: ColumnGuess) -> str:
    return to_json(
        {
            "format": guess.format,
            "published": guess.published,
            "columns": list(guess.columns),
            "fields": dict(guess.fields),
            "preview": [list(row) for row in guess.preview],
            "encoding": guess.encoding,
        }
    )


def _upload(row: sqlite3.Row) -> Upload:
    told = json.loads(row["guess"])
    guess = ColumnGuess(
        told["format"],
        told["published"],
        tuple(told["columns"]),
        told["fields"],
        tuple(tuple(cells) for cells in told["preview"]),
        told.get("encoding", ""),
    )
    fields = json.loads(row["fields"])
    return Upload(row["id"], row["name"], row["path"], guess, fields, row["replaces"])


def uploaded_file(path: str, root: Path) -> Path:
    """A file that was uploaded: a path in a session that came from elsewhere is not trusted.

    Args:
        path: where it lies.
        root: the folder of sessions, which holds what is uploaded.

    Raises:
        SessionError: it is gone, or lies elsewhere.
    """
    found = Path(path).resolve()
    if not found.is_relative_to(root.resolve()) or not found.is_file():
        raise SessionError(f"'{found.name}' is not kept any more. Upload it again.")
    return found
