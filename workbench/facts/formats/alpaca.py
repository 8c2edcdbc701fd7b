"""Alpaca's instructions: the prompt is the instruction and, in the next line, its input.

Templates such as Alpaca's own are not put around it; a chat model has its own. Other columns are
read by their usual names.
"""

from collections.abc import Set as AbstractSet

from workbench.facts.columns import find_columns
from workbench.facts.formats.nested import system_left_out
from workbench.facts.layout import Cells, Format, Layout, Parts
from workbench.facts.wrong import Wrong

__all__ = ["ALPACA"]

NAME = "instructions (Alpaca)"
_INPUTS = ("input", "context")
_OUTPUTS = ("output", "response")


def _fits(names: AbstractSet[str], sample: Cells) -> bool:
    told = isinstance(sample.get("instruction"), str)
    return told and bool(names & set(_OUTPUTS)) and "prompt" not in names


def _layout(names: AbstractSet[str]) -> Layout:
    given = next((name for name in _INPUTS if name in names), "")
    output = next(name for name in _OUTPUTS if name in names)
    own = {"instruction", given, output, "system", "history"}
    more = find_columns(sorted(names - own - {"text"}))
    columns = {**more, "prompt": "instruction", "target_new": output}

    def split(cells: Cells) -> tuple[Parts]:
        if cells.get("history"):
            what = "The question comes after others ('history'), without which it means nothing."
            mend = "Write a row for each question that can be understood by itself."
            raise Wrong(what, mend, "structure", "prompt")
        parts = {part: cells.get(name) for part, name in more.items()}
        system = cells.get("system")
        notes = [system_left_out(system)] if isinstance(system, str) and system.strip() else []
        prompt = _prompt(cells.get("instruction"), cells.get(given) if given else None)
        return ({**parts, "prompt": prompt, "target_new": cells.get(output), "notes": notes},)

    return Layout(NAME, True, columns, split, frozenset({*columns.values(), *own}))


def _prompt(instruction: object, given: object) -> object:
    if isinstance(instruction, str) and isinstance(given, str) and given.strip():
        return f"{instruction.strip()}\n{given.strip()}"
    return instruction


ALPACA = Format(NAME, _fits, _layout)
