"""The dialog in which a person says which column of a file holds what, with its first rows.

Pure functions from data to HTML.
"""

from collections.abc import Sequence

from workbench.page.kit.html import button, heading, options, text
from workbench.store.uploads import Upload

__all__ = ["FIELD_NAMES", "column_dialogs"]

FIELD_NAMES = {
    "prompt": "Prompt",
    "target_new": "New answer",
    "subject": "Subject",
    "ground_truth": "Old answer",
    "aliases": "Other right answers",
    "old_answers": "Other answers right before",
    "rephrase_prompt": "Other ways to ask",
    "locality_prompt": "What must stay",
    "locality_ground_truth": "Answers of what must stay",
    "portability_prompt": "What follows from it",
    "portability_ground_truth": "Answers of what follows",
}
"""What the page calls each field of `ColumnGuess.fields`."""

NONE = "– none –"


def column_dialogs(uploads: Sequence[Upload]) -> str:
    """A dialog for each file that waits."""
    return "".join(map(_dialog, uploads))


def _dialog(upload: Upload) -> str:
    ready = bool(upload.fields.get("prompt") and upload.fields.get("target_new"))
    sentence = f"{upload.name}: a prompt and a new answer are needed, the rest may stay empty."
    if upload.guess.published:
        sentence = f"{upload.name} was recognised as {upload.guess.format}; change what is wrong."
    read = button("Read the file", "read", "primary", upload=upload.id)
    if not ready:
        read = read.replace("<button ", "<button disabled ", 1)
    return (
        f'<div class="card stack columns-of" role="group" aria-label="Columns of '
        f'{text(upload.name)}"><div>{heading("Which column holds what?", sentence)}</div>'
        f'<div class="column-choices">{"".join(_choice(upload, name) for name in FIELD_NAMES)}'
        f'</div>{_preview(upload)}<div class="foot"><span class="quiet">Remembered here for '
        f'files with the same columns.</span><span class="pair">'
        f"{button('Cancel', 'forget', 'small bare', upload=upload.id)}{read}</span></div></div>"
    )


def _choice(upload: Upload, field: str) -> str:
    if field not in upload.fields:
        return ""
    chosen = upload.fields[field]
    choices = options([("", NONE), *((name, name) for name in upload.guess.columns)], chosen)
    return (
        f"<label><span>{text(FIELD_NAMES[field])}</span>"
        f'<select data-do="assign" data-upload="{upload.id}" data-field="{field}" '
        f'aria-label="{text(FIELD_NAMES[field])}">{choices}'
        "</select></label>"
    )


def _preview(upload: Upload) -> str:
    """The first rows, each column under its name and under what it was chosen for."""
    held = {column: FIELD_NAMES[field] for field, column in upload.fields.items() if column}
    head = "".join(
        f'<th class="{"held" if name in held else ""}">{text(name)}<br>'
        f"<b>{text(held.get(name, ''))}</b></th>"
        for name in upload.guess.columns
    )
    body = "".join(
        f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>"
        for row in upload.guess.preview
    )
    return (
        f'<div class="scroll"><table class="grid-table preview"><tr>{head}</tr>{body}</table></div>'
    )
