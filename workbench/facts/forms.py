"""The forms in which a fact is asked, and their shares in what a run trains on.

``raw`` is the prompt to be continued; ``question`` the same behind "Question:"; ``chat`` what a
user says to a model with a chat template; ``rephrase`` the prompt in other words; ``prefix`` the
prompt behind a sentence about something else. Knows nothing about tokens or models.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import SettingsError

__all__ = [
    "ASKED_FORMS",
    "FORMS",
    "AskedForm",
    "Form",
    "FormShare",
    "as_question",
    "parse_asked",
    "parse_forms",
]

Form = Literal["raw", "question", "chat", "rephrase", "prefix"]

FORMS: tuple[Form, ...] = get_args(Form)

AskedForm = Literal["raw", "question", "chat"]
"""A form in which any prompt can be asked, whatever it was trained in."""

ASKED_FORMS: tuple[AskedForm, ...] = get_args(AskedForm)


@dataclass(frozen=True, slots=True)
class FormShare:
    """A form with its share.

    Args:
        form: which.
        share: how often it is drawn, relative to the others.
    """

    form: Form
    share: float = 1.0

    def __str__(self) -> str:
        return self.form if self.share == 1 else f"{self.form}:{self.share:g}"


def parse_forms(forms: tuple[str, ...]) -> tuple[FormShare, ...]:
    """Forms as people write them, such as ``raw:2`` and ``chat``, in the order of `FORMS`.

    Raises:
        SettingsError: there is no such form, it stands twice, or its share is not above 0.
    """
    found: dict[str, FormShare] = {}
    for text in forms:
        match = re.fullmatch(r"([a-z]+)(?::(\d+(?:\.\d+)?))?", str(text).strip())
        share = float(match[2] or 1) if match is not None else 0.0
        if match is None or match[1] not in FORMS or share <= 0:
            raise SettingsError(
                f"forms has '{text}'. Write {', '.join(FORMS)}, each with its share if it is not "
                "1, such as chat:2."
            )
        if match[1] in found:
            raise SettingsError(f"forms names '{match[1]}' twice. Name it once, with its share.")
        found[match[1]] = FormShare(match[1], share)
    return tuple(found[form] for form in FORMS if form in found)


def parse_asked(forms: tuple[str, ...]) -> tuple[AskedForm, ...]:
    """Forms in which people want questions asked, each once, in the order of `ASKED_FORMS`.

    Raises:
        SettingsError: there is no such form.
    """
    for text in forms:
        if text not in ASKED_FORMS:
            raise SettingsError(f"forms has '{text}'. Choose among {', '.join(ASKED_FORMS)}.")
    return tuple(form for form in ASKED_FORMS if form in forms)


def as_question(prompt: str) -> str:
    """A prompt as a question that a model answers on the next line."""
    return f"Question: {prompt.strip()}\nAnswer:"
