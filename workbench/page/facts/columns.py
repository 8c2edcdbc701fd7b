"""The dialog in which a person says which column of a file holds what, with its first rows.

Pure functions from data to HTML.
"""

from collections.abc import Sequence

from markupsafe import Markup

from workbench.facts.encodings import CHOICES, encoding_label
from workbench.store.uploads import Upload
from workbench.work.templates import render

__all__ = ["FIELD_NAMES", "column_dialogs", "encoding_choices"]

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
    "wording": "Other words to train on",
    "keep_prompt": "What is trained to stay",
    "keep_answer": "Answers of what is trained to stay",
}
"""What the page calls each field of `ColumnGuess.fields`."""

NONE = "– none –"


def column_dialogs(uploads: Sequence[Upload]) -> Markup:
    """A dialog for each file that waits."""
    return Markup().join(map(_dialog, uploads))


def encoding_choices(read_as: str) -> list[tuple[str, str]]:
    """The encodings that a file of text may be read in; none where it is no text.

    Args:
        read_as: the codec by which it was read; empty for a file that is no text.
    """
    if not read_as:
        return []
    others = [] if read_as in CHOICES else [(read_as, encoding_label(read_as))]
    return [*others, *CHOICES.items()]


def _dialog(upload: Upload) -> Markup:
    sentence = f"{upload.name}: a prompt and a new answer are needed, the rest may stay empty."
    if upload.guess.published:
        sentence = f"{upload.name} was recognised as {upload.guess.format}; change what is wrong."
    return render(
        "page/facts/columns.html",
        upload=upload,
        names=FIELD_NAMES,
        choices=[("", NONE), *((name, name) for name in upload.guess.columns)],
        held={column: FIELD_NAMES[field] for field, column in upload.fields.items() if column},
        sentence=sentence,
        encodings=encoding_choices(upload.guess.encoding),
        ready=bool(upload.fields.get("prompt") and upload.fields.get("target_new")),
    )
