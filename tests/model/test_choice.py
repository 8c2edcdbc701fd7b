"""The choice of a model: what it may be, and how it reads in a terminal."""

from typing import Any

import pytest

from workbench.errors import SettingsError
from workbench.model.choice import ModelChoice


def test_a_choice_of_before_its_own_code_was_asked_about_does_not_let_it_run() -> None:
    kept = {"name": "some/model", "device": None, "dtype": "bfloat16"}
    assert ModelChoice.from_dict(kept) == ModelChoice("some/model", None, "bfloat16", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", ["x"]),
        ("device", 1),
        ("dtype", "float64"),
        ("dtype", ["float32"]),
        ("trust_remote_code", "yes"),
        ("trust_remote_code", 1),
        ("trust_remote_code", None),
    ],
)
def test_what_is_no_choice_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is "):
        ModelChoice.from_dict({name: value})


def test_a_command_names_only_what_was_chosen() -> None:
    assert ModelChoice().words() == []
    assert ModelChoice("some/model", "cpu", "float16", True).words() == [
        *("--model", "some/model", "--device", "cpu", "--dtype", "float16", "--trust-remote-code")
    ]
