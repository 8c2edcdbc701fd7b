"""Where an answer ends."""

from typing import Literal, get_args

from workbench.errors import SettingsError

__all__ = ["StopRule", "require_stop_rule"]

StopRule = Literal["eos", "sentence"]
"""Where an answer ends: at EOS; or, as in arXiv 2509.22072, also at "." or a newline."""


def require_stop_rule(stop: str) -> None:
    """Makes sure that a stop rule is one.

    Raises:
        SettingsError: it is none.
    """
    if stop not in get_args(StopRule):
        rules = " or ".join(f"'{rule}'" for rule in get_args(StopRule))
        raise SettingsError(f"stop is {stop!r}; choose {rules}.")
