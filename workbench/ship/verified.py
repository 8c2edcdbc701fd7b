"""Which facts hold in what was asked, by form: plain data, for people and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.facts.forms import AskedForm

__all__ = ["FactHeld", "FormHeld", "Verified"]


@dataclass(frozen=True, slots=True)
class FactHeld:
    """One fact in one form.

    Args:
        said: the answer.
        strict: whether it is the new one, letter for letter, and ends there.
        contained: whether the new one is among its words.
    """

    said: str
    strict: bool
    contained: bool


@dataclass(frozen=True, slots=True)
class FormHeld:
    """All facts in one form.

    Args:
        form: in which they were asked.
        facts: in their order.
    """

    form: AskedForm
    facts: tuple[FactHeld, ...]

    @property
    def strict(self) -> int:
        """How many hold, letter for letter."""
        return sum(fact.strict for fact in self.facts)

    @property
    def contained(self) -> int:
        """How many hold among other words, or by themselves."""
        return sum(fact.contained for fact in self.facts)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was asked, and what holds in it.

    Args:
        name: of what was asked.
        runtime: what it ran in, such as ``llama.cpp``.
        prompts: of the facts, in their order.
        forms: the forms in which they were asked.
        quantization: what was made of it after that; empty for nothing.
        after: the same forms, asked again then.
        bytes: how much the weights take then.
    """

    name: str
    runtime: str
    prompts: tuple[str, ...]
    forms: tuple[FormHeld, ...]
    quantization: str = ""
    after: tuple[FormHeld, ...] = ()
    bytes: int = 0

    @property
    def lost(self) -> Sequence[tuple[str, str]]:
        """The facts that no longer hold in the first form, each prompt with what is said then."""
        if not self.after:
            return []
        both = zip(self.prompts, self.forms[0].facts, self.after[0].facts, strict=True)
        return [(prompt, now.said) for prompt, was, now in both if was.strict and not now.strict]

    def missing(self, form: AskedForm) -> Sequence[tuple[str, str]]:
        """The facts that do not hold in a form, strictly: each prompt with what was said."""
        (found,) = (one for one in self.forms if one.form == form)
        pairs = zip(self.prompts, found.facts, strict=True)
        return [(prompt, fact.said) for prompt, fact in pairs if not fact.strict]

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready data, with the sums."""
        found = {
            "model": self.name,
            "runtime": self.runtime,
            "held": _sums(self.forms),
            "facts": [
                {"prompt": prompt} | {one.form: asdict(one.facts[row]) for one in self.forms}
                for row, prompt in enumerate(self.prompts)
            ],
        }
        if not self.after:
            return found
        lost = [{"prompt": prompt, "said": said} for prompt, said in self.lost]
        after = {"name": self.quantization, "bytes": self.bytes, "held": _sums(self.after)}
        return found | {"after_quantization": after | {"lost": lost}}


def _sums(forms: Sequence[FormHeld]) -> dict[str, dict[str, int]]:
    return {
        one.form: {"facts": len(one.facts), "strict": one.strict, "contained": one.contained}
        for one in forms
    }
