"""One change of many facts: text replaced in a field, a field set, or a field split in two.

Pure; knows nothing about where facts are kept.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from workbench.errors import FactsError
from workbench.facts.fact import Fact

__all__ = ["FIELDS", "Field", "Kind", "ManyChange"]

Field = Literal["prompt", "target_new", "ground_truth", "subject"]
Kind = Literal["replace", "set", "split"]

FIELDS: dict[Field, str] = {
    "prompt": "prompt",
    "target_new": "new answer",
    "ground_truth": "old answer",
    "subject": "subject",
}


@dataclass(frozen=True, slots=True)
class ManyChange:
    """What is to be done to each of many facts.

    Args:
        kind: ``replace`` puts `text` wherever `find` stands in the field; ``set`` gives the field
            the value `text`; ``split`` leaves in the field what stands before the first `find`, and
            moves what follows to the field `into`.
        field: where.
        find: what is looked for, letter by letter; of no use to ``set``.
        text: the new text, or the field's new value.
        into: where ``split`` moves the rest; another field.

    Raises:
        FactsError: it does not say what to find, where to move the rest, or would empty a field
            that a fact cannot be without.
    """

    kind: Kind
    field: Field
    find: str = ""
    text: str = ""
    into: Field = "target_new"

    def __post_init__(self) -> None:
        needed = self.field in ("prompt", "target_new")
        if self.kind != "set" and not self.find:
            raise FactsError("Say what to look for in the field.")
        if self.kind == "set" and needed and not self.text.strip():
            raise FactsError(f"A fact cannot be without its {FIELDS[self.field]}: give a text.")
        if self.kind == "set" and self.field == "prompt":
            raise FactsError("Two facts cannot have the same prompt: replace a part of it instead.")
        if self.kind == "split" and self.into == self.field:
            raise FactsError("Choose another field for what follows than the one that is split.")

    def __call__(self, fact: Fact) -> Fact:
        """The fact as it becomes; the same where the change does not apply to it.

        Raises:
            FactsError: nothing would be left of its prompt or its new answer.
        """
        value = getattr(fact, self.field)
        changed: dict[str, Any] = {self.field: self.text}
        if self.kind != "set" and self.find not in value:
            return fact
        if self.kind == "replace":
            changed = {self.field: value.replace(self.find, self.text)}
        elif self.kind == "split":
            first, _, rest = value.partition(self.find)
            changed = {self.field: first, self.into: rest}
        return replace(fact, **changed)
