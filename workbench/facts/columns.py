"""Which column of a table of one's own holds what: by the usual names, or as somebody says.

Case, blanks, dashes, underscores, accents' Unicode form and width in a name do not matter.

Knows nothing about files, published formats, or what makes a fact good.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from workbench.errors import FactsError
from workbench.facts.headers import TRANSLATED
from workbench.facts.layout import PARTS, Layout
from workbench.facts.problems import shorten
from workbench.facts.same import prompt_key

__all__ = ["ANSWERED", "FIELDS", "SYNONYMS", "find_columns", "own_layout"]

# The part of a fact, then the names it goes by, the surest first. A name is taken once: where a
# table has both `new_answer` and `answer`, the first is the target and the second the old answer.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "query", "src", "edit prompt", "input"),
    "target_new": (
        "target new", "new target", "new answer", "target", "alt", "answer new", "new", "ans",
        "answer", "output", "completion", "response", "object",
    ),
    "subject": ("subject", "entity", "topic"),
    "ground_truth": (
        "ground truth", "pred", "answers", "target true", "target old", "old answer",
        "true answer", "old target", "original answer", "answer old", "old", "original", "answer",
    ),
    "aliases": (
        "aliases", "answer aliases", "answer alias", "new answer aliases", "new answer alias",
        "target new aliases", "accepted answers",
    ),
    "old_answers": ("answers", "old answers"),
    "rephrase_prompts": (
        "rephrase prompts", "rephrase prompt", "rephrases", "rephrase", "rephrased prompts",
        "rephrased prompt", "rephrased question", "paraphrase prompts", "paraphrase prompt",
        "paraphrases", "paraphrase", "paraphrased question",
    ),
    "locality_prompts": (
        "locality prompts", "locality prompt", "locality questions", "locality question",
        "neighborhood prompts", "neighborhood prompt", "locality", "loc prompt", "loc",
    ),
    "locality_answers": (
        "locality ground truth", "locality answers", "locality answer", "locality target",
        "neighborhood answers", "neighborhood answer", "loc answer", "loc ans",
    ),
    "portability_prompts": (
        "portability prompts", "portability prompt", "portability questions",
        "portability question", "portability",
    ),
    "portability_answers": (
        "portability ground truth", "portability answers", "portability answer",
        "portability target",
    ),
    "wordings": (
        "wordings", "wording", "training prompts", "training prompt", "trained prompts",
        "trained prompt", "train prompts", "train prompt", "training wordings", "training wording",
        "training rephrases", "training rephrase", "training paraphrases", "training paraphrase",
        "training questions", "training question",
    ),
    "keep_prompts": (
        "keep prompts", "keep prompt", "kept prompts", "kept prompt", "prompts to keep",
        "prompt to keep", "keep questions", "keep question", "questions to keep",
    ),
    "keep_answers": (
        "keep answers", "keep answer", "keep ground truth", "keep targets", "keep target",
        "kept answers", "kept answer", "answers to keep", "answer to keep",
    ),
}  # fmt: skip

# What the parts are called where a person names them: the columns that `write_facts` writes.
FIELDS: dict[str, str] = {
    "prompt": "prompt",
    "target_new": "target_new",
    "subject": "subject",
    "ground_truth": "ground_truth",
    "aliases": "aliases",
    "old_answers": "old_answers",
    "rephrase_prompts": "rephrase_prompt",
    "locality_prompts": "locality_prompt",
    "locality_answers": "locality_ground_truth",
    "portability_prompts": "portability_prompt",
    "portability_answers": "portability_ground_truth",
    "wordings": "wording",
    "keep_prompts": "keep_prompt",
    "keep_answers": "keep_answer",
}
# A person may say of prompts that they are something else; then their answers go with them.
ANSWERED: dict[str, str] = {
    part: part.replace("prompts", "answers")
    for part in ("locality_prompts", "portability_prompts", "keep_prompts")
}
_NEEDED = ("prompt", "target_new")


def find_columns(
    names: Sequence[str], said: Mapping[str, str] | None = None, where: str = "the file"
) -> dict[str, str]:
    """The column of each part that has one.

    Args:
        names: the columns' names, in their order.
        said: fields and the columns that somebody chose for them; an empty column for none.
        where: the file, for messages.

    Raises:
        FactsError: there is no such field or no such column.
    """
    columns = _by_name(names, _said(names, said or {}, where))
    if said:
        _take_answers_along(columns, _by_name(names, {}))
    return {part: columns[part] for part in PARTS if columns.get(part)}


def _by_name(names: Sequence[str], said: Mapping[str, str]) -> dict[str, str]:
    """What was said, and for all other parts the column that has one of their names."""
    columns = dict(said)
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(_plain(name), name)
    for part, synonyms in SYNONYMS.items():
        if part in columns:
            continue
        for synonym in (*synonyms, *TRANSLATED.get(part, ())):
            column = known.get(_plain(synonym))
            if column is not None and column not in columns.values():
                columns[part] = column
                break
    return columns


def _take_answers_along(columns: dict[str, str], usual: Mapping[str, str]) -> None:
    """Gives prompts that somebody called something else the answers that stand beside them.

    Args:
        columns: the columns found, which are changed.
        usual: those by their names alone.
    """
    for part, answers in ANSWERED.items():
        for other, beside in ANSWERED.items():
            is_moved = columns.get(part) and columns.get(part) == usual.get(other)
            if is_moved and part != other and not columns.get(other) and not columns.get(answers):
                columns[answers] = columns.pop(beside, "")


def own_layout(names: Sequence[str], where: str, said: Mapping[str, str] | None = None) -> Layout:
    """The layout of a table of one's own.

    Args:
        names: the columns' names, in their order.
        where: the file, for messages.
        said: see `find_columns`.

    Raises:
        FactsError: no column for the prompt or none for the new answer, or two of one name.
    """
    columns = find_columns(names, said, where)
    _require(columns, names, where)
    return Layout("own table", False, columns)


def _said(names: Sequence[str], said: Mapping[str, str], where: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for field, column in said.items():
        part = _part(field)
        if part is None:
            raise FactsError(
                f"There is no field '{shorten(field, 40)}'. Choose one of "
                f"{', '.join(FIELDS.values())}."
            )
        if column and column not in names:
            raise FactsError(
                f"There is no column '{shorten(column, 40)}' in {where}. Found: {_listed(names)}."
            )
        columns[part] = column
    return columns


def _part(field: str) -> str | None:
    """The part that a person means by a field's name."""
    plain = _plain(field)
    for part, name in FIELDS.items():
        if plain in (_plain(part), _plain(name)):
            return part
    names = ((p, (*ours, *TRANSLATED.get(p, ()))) for p, ours in SYNONYMS.items())
    return next((p for p, known in names if plain in map(_plain, known)), None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", prompt_key(name))


def _require(columns: Mapping[str, str], names: Sequence[str], where: str) -> None:
    missing = [part for part in _NEEDED if part not in columns]
    if missing:
        sought = " and ".join(
            f"{part} (or {', '.join(repr(name) for name in SYNONYMS[part][1:5])} …)"
            for part in missing
        )
        raise FactsError(
            f"No column for {' and '.join(missing)} in {where}. Found: {_listed(names)}. "
            f"Looked for {sought}. The first line of a table, or the keys in JSON, name the "
            "columns, such as prompt,target_new; or say which column holds what."
        )
    counts = Counter(names)
    for column in columns.values():
        if counts[column] > 1:
            raise FactsError(
                f"The column '{shorten(column, 40)}' is in {where} more than once. "
                "Rename or delete one of them."
            )


def _listed(names: Sequence[str]) -> str:
    found = ", ".join(repr(shorten(name, 40)) for name in names[:12] if name.strip())
    return found or "no names"
