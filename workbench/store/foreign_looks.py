"""What a job may have found, in a session from elsewhere: what a look found is drawn.

Raises whatever a codec raises, like `workbench.store.foreign_values`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import RecordError
from workbench.model.inside_record import Inside, ShownText
from workbench.model.location import parse_locations
from workbench.search.ripple_result import Ripple
from workbench.store.requests import FirstBatchRequest, RippleRequest, request_of
from workbench.work.records import from_data, from_text

__all__ = ["result_rule"]


@dataclass(frozen=True, slots=True)
class FirstBatch:
    """The texts of a first step."""

    texts: tuple[ShownText, ...]
    prompts: tuple[str, ...]
    of: int
    how: str


def result_rule(text: str, row: Mapping[str, Any]) -> None:
    """Makes sure that what a job found can be drawn.

    Args:
        text: the result.
        row: of the job.

    Raises:
        RecordError: it is of another form; other errors of codecs come through.
    """
    found = from_text(dict[str, Any], text)
    if row["kind"] != "look" or row["state"] != "done":
        return
    asked = request_of("look", json.loads(row["params"]))
    if isinstance(asked, RippleRequest):
        from_data(Ripple, found)
    elif isinstance(asked, FirstBatchRequest):
        from_data(FirstBatch, found)
    else:
        inside = from_data(Inside, found)
        parse_locations(inside.at)
        sides = [side for curve in inside.curves for side in (curve.before, curve.after)]
        steps = {len(side) for side in sides if side}
        if not all(curve.before for curve in inside.curves) or len(steps) > 1:
            raise RecordError("Not every curve has a value for every layer.")
