"""What each of a session's settings may hold, but for those of actions, which have classes.

Raises whatever a codec raises, like `workbench.store.foreign_values`.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from workbench.errors import RecordError
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.rephrased import Rephrased
from workbench.model.summary import ModelSummary
from workbench.store.found import Show
from workbench.work.records import from_text

__all__ = ["LONGEST_NAME", "SETTINGS", "TOLERATED", "require_setting"]

LONGEST_NAME = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """How it went when a model was asked for old answers."""

    facts: int
    asked: int
    filled: int
    silent: int
    same: int


def require_setting(name: str, text: str) -> None:
    """Makes sure that a value is one that its setting can have.

    Args:
        name: in `SETTINGS`.
        text: the value as JSON.

    Raises:
        RecordError: it is none.
    """
    from_text(SETTINGS[name], text)
    value = json.loads(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError("It is no finite number.")
    if isinstance(value, str) and len(value) > LONGEST_NAME:
        raise RecordError("It is longer than a name.")
    if name in ("run_names", "run_colours"):
        _require_of_runs(value)


def _require_of_runs(said: dict[str, Any]) -> None:
    for run, value in said.items():
        if not re.fullmatch("[0-9]{1,18}", run) or len(str(value)) > LONGEST_NAME:
            raise RecordError("What is said of runs stands by their numbers, and is not that long.")


SETTINGS: dict[str, Any] = {
    "name": str,
    "opened": float,
    "method": str,
    "sweep_weights": tuple[float, ...] | None,
    "shown_run": int | None,
    "before_run": int | None,
    "hidden_run": int | None,
    "shown_sweep": int | None,
    "overlaid_sweep": int | None,
    "facts_judged": bool,
    "dismissed_job": int,
    "largest_import": float,
    "import_seen": int,
    "import_trouble_seen": int,
    "deletions_seen": float,
    "looks": tuple[tuple[str, Show], ...],
    "asked_facts": Asked | None,
    "columns_of_files": dict[str, dict[str, str]],
    "compared_runs": tuple[int, ...],
    "start_from": str,
    "probe_view": str,
    "ripple_jobs": dict[str, int],
    "run_names": dict[str, str],
    "run_colours": dict[str, int],
    "pinned_runs": tuple[int, ...],
    "scatter_axes": dict[str, str],
    "rephrased": tuple[Rephrased, ...],
    "look_form": str,
    "look_job": int,
    "batch_job": int,
    "foreign_model": bool,
}

# What is found out anew when it cannot be read, as after a change of its form.
TOLERATED: dict[str, Any] = {"summary": ModelSummary | None, "estimate": RunEstimate | None}
