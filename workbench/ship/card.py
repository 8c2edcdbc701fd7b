"""The model card of what was written: what it is, what was done to it, and how to do it again.

Facts stand in it only when somebody wants them to; a path of this machine never does.
"""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from workbench.errors import SettingsError
from workbench.facts.fact import Fact
from workbench.measure.protocols import PROTOCOL_HELP
from workbench.methods.base import find_method
from workbench.model.base_files import base_file
from workbench.model.language_model import LanguageModel
from workbench.model.needs import is_path
from workbench.model.patch import Patch
from workbench.model.real import REAL
from workbench.ship.export_settings import ExportSettings
from workbench.work.words import one_line

__all__ = ["CARD", "write_card"]

CARD = "README.md"
OF_LICENCE = ("license", "license_name", "license_link", "language")
SHOWN = 300  # characters of a fact


def write_card(
    folder: Path,
    model: LanguageModel,
    patch: Patch,
    facts: Sequence[Fact],
    settings: ExportSettings,
    *,
    library: str,
    kept: str,
) -> None:
    """Writes the card.

    Args:
        folder: of what it is about.
        model: the base.
        patch: the edit.
        facts: what was edited; listed only if the settings say so.
        settings: of the export.
        library: what loads it, such as ``transformers``.
        kept: in words, what was asked of it and what it kept; empty for nothing.
    """
    data = ModelCardData(
        library_name=library,
        tags=["model-editing", str(patch.metadata.get("method", "locft-bf"))],
        **_of_base(model),
    )
    parts = [
        _what(model, patch),
        _table("Settings", patch.metadata["settings"]),
        _measures(patch, kept),
        _again(patch, settings, model),
        _facts(facts) if settings.include_facts and facts else "",
    ]
    text = f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(part for part in parts if part) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")


def _is_here(model: LanguageModel) -> bool:
    """Whether the base is none of the hub."""
    return model.name in ("builtin", REAL) or is_path(model.name)


def _name(model: LanguageModel) -> str:
    """The base's name, without the folders of this machine."""
    return Path(model.name).name if is_path(model.name) else model.name


def _called(model: LanguageModel) -> str:
    """The base's name, and what it was made from."""
    return f"{_name(model)} ({model.origin})" if model.origin else _name(model)


def _of_base(model: LanguageModel) -> dict[str, Any]:
    """Its name where it is one of the hub; licence and languages as its own card has them."""
    found: dict[str, Any] = {} if _is_here(model) else {"base_model": model.name}
    card = base_file(model, CARD)
    if card is None:
        return found
    try:
        told = ModelCard(card.read_text("utf-8", errors="replace"), ignore_metadata_errors=True)
    except Exception:  # a card of the base's own making, of which nothing is known
        return found
    known = vars(told.data)
    return found | {name: known[name] for name in OF_LICENCE if known.get(name)}


def _what(model: LanguageModel, patch: Patch) -> str:
    told = patch.metadata
    lines = [
        f"# {_called(model)}, edited",
        f"{told['facts']:,} facts of this model were changed with the LocFT workbench.",
        f"- Base: {_called(model)}",
        f"- Method: {told.get('method', 'locft-bf')}",
        f"- Changed: {', '.join(told['at'])} ({patch.weights:,} weights in "
        f"{len(patch.tensors)} tensors)",
        f"- Facts: {told['facts']:,}, SHA-256 {told['facts_digest']}",
        f"- Made: {told['created']}, with "
        + ", ".join(f"{name} {version}" for name, version in told["versions"].items()),
    ]
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])


def _table(title: str, values: dict[str, Any]) -> str:
    rows = [f"| `{one_line(str(name))}` | {_cell(value)} |" for name, value in values.items()]
    return "\n".join([f"## {title}", "", "| setting | value |", "| --- | --- |", *rows])


def _measures(patch: Patch, kept: str) -> str:
    """What the run measured, each number with its protocol."""
    lines = [
        f"| `{one_line(str(name))}` | {_cell(value)} |"
        for name, value in patch.metadata["metrics"].items()
    ]
    told = [
        f"- *{protocol}*: {sentence}"
        for protocol, sentence in PROTOCOL_HELP.items()
        if any(str(name).endswith(f"_{protocol}") for name in patch.metadata["metrics"])
    ]
    if not lines and not kept:
        return ""
    table = ["| measure | value |", "| --- | --- |", *lines] if lines else []
    return "\n".join(["## Measures", "", *table, *(["", *told] if told else []), "", kept]).strip()


def _again(patch: Patch, settings: ExportSettings, model: LanguageModel) -> str:
    """The commands that make the same from the same file of facts."""
    method = str(patch.metadata.get("method", "locft-bf"))
    words = ["workbench", "edit", "facts.csv", "--out", "patch", "--model", _name(model)]
    try:
        kind = find_method(method).settings
        known = {name: v for name, v in patch.metadata["settings"].items() if name in kind.help()}
        words += [*(["--method", method] if method != "locft-bf" else [])]
        words += kind.from_dict(known).words()
    except SettingsError:  # of a method that is not here
        return ""
    more = ExportSettings.from_dict(settings.as_dict() | {"push": "", "gguf": ""}).words()
    export = ["workbench", "export", "--patch", "patch", "--facts", "facts.csv", *more]
    lines = [shlex.join(line) for line in (words, [*export, "--out", "edited"])]
    return "\n".join(["## The same again", "", "```", *lines, "```"])


def _facts(facts: Sequence[Fact]) -> str:
    rows = [f"| {_cell(fact.prompt)} | {_cell(fact.target_new)} |" for fact in facts]
    return "\n".join(["## Facts", "", "| prompt | new answer |", "| --- | --- |", *rows])


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for letter in "\\|<`":
        text = text.replace(letter, f"\\{letter}")
    return one_line(text, SHOWN)
