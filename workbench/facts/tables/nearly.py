"""Short texts that are nearly JSON: with comments, or as Python or JavaScript would write them.

JSON5 and Python have parsers of their own, which are slow; so only short texts are given to them.
Knows nothing about what the values mean.
"""

from typing import Any

from workbench.facts.tables.loose import json_value, loosened, number
from workbench.facts.tables.printed import literal

__all__ = ["COMMENTS", "SHORT", "loose_value"]

# The longest text, in characters, that is given to the parser of JSON5: up to four seconds.
SHORT = 100_000
COMMENTS = "comments, or commas before a closing bracket"


def loose_value(text: str) -> tuple[Any, str]:
    """The value of a text that is nearly JSON, and what was too much or wrong in it.

    Raises:
        ValueError: it cannot be read like that either.
        RecursionError: it is nested too deeply.
    """
    try:
        return json_value(loosened(text)), COMMENTS
    except ValueError:
        if len(text) > SHORT:
            raise
    try:
        return literal(text), "Python's quotes or names"
    except ValueError:
        pass
    import json5

    return json5.loads(text, parse_float=number), "quotes or names as in JavaScript"
