"""The time that a sweep may take, as people write it: in seconds, or in minutes."""

import math
import re

from workbench.errors import SettingsError

__all__ = ["parse_budget", "write_budget"]

BUDGET_FORM = r"([0-9.]+(?:e[+-]?\d+)?) *(s|sec|seconds?|m|min|minutes?|h|hours?)?"
SECONDS = {"m": 60.0, "h": 3600.0}


def parse_budget(text: str) -> float:
    """Seconds as people write them: ``300``, ``5min``, ``about 5 minutes``, ``1h``.

    Raises:
        SettingsError: the text has another form.
    """
    plain = text.strip().casefold().removeprefix("about").strip()
    match = re.fullmatch(BUDGET_FORM, plain)
    try:
        number = float(match[1]) if match is not None else math.nan
    except ValueError:
        number = math.nan
    if match is None or math.isnan(number):
        raise SettingsError(f"budget is '{text}'. Write seconds, such as 300, or minutes: 5min.")
    return number * SECONDS.get((match[2] or "s")[0], 1.0)


def write_budget(seconds: float) -> str:
    """The inverse of `parse_budget`: whole minutes as such, anything else in seconds."""
    minutes, rest = divmod(seconds, 60)
    if minutes and not rest:
        return f"{minutes:.0f}min"
    return f"{seconds:g}" if float(f"{seconds:g}") == seconds else repr(float(seconds))
