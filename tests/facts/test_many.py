"""One change of many facts does to each what was said, and says what it cannot do."""

import pytest

from workbench.errors import FactsError
from workbench.facts import Fact
from workbench.facts.many import ManyChange

FACT = Fact("Where is Paris? In Rome", "x", subject="Paris", ground_truth="France")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ManyChange("replace", "prompt", "Paris", "Lyon"),
            ("Where is Lyon? In Rome", "x", "Paris"),
        ),
        (ManyChange("replace", "prompt", "paris", "Lyon"), (FACT.prompt, "x", "Paris")),
        (ManyChange("set", "subject", text=" Lyon "), (FACT.prompt, "x", "Lyon")),
        (ManyChange("set", "subject"), (FACT.prompt, "x", "")),
        (ManyChange("split", "prompt", "? "), ("Where is Paris", "In Rome", "Paris")),
        (ManyChange("split", "subject", "?"), (FACT.prompt, "x", "Paris")),
    ],
)
def test_a_change_does_what_it_says(change: ManyChange, expected: tuple[str, ...]) -> None:
    fact = change(FACT)
    assert (fact.prompt, fact.target_new, fact.subject) == expected
    assert fact.ground_truth == "France"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("replace", "prompt"), "what to look for"),
        (("set", "target_new"), "without its new answer"),
        (("set", "prompt", "", "x"), "the same prompt"),
        (("split", "prompt", "?", "", "prompt"), "another field"),
    ],
)
def test_what_cannot_be_done_is_said_before(asked: tuple[str, ...], said: str) -> None:
    with pytest.raises(FactsError, match=said):
        ManyChange(*asked)  # type: ignore[arg-type]
    with pytest.raises(FactsError, match="needs target_new"):
        ManyChange("replace", "target_new", "x")(FACT)
