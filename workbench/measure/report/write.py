"""Writes a report into a file whose ending chooses the form."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import PatchError
from workbench.measure.report.html import as_html
from workbench.measure.report.markdown import as_markdown

__all__ = ["FORMS", "as_json", "require_form", "write_report"]


def as_json(report: Mapping[str, Any]) -> str:
    """The report as indented JSON."""
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


FORMS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    ".html": as_html,
    ".md": as_markdown,
    ".json": as_json,
}


def require_form(path: Path) -> None:
    """Makes sure, before any work is done, that a report can be written there.

    Raises:
        PatchError: another ending, or its folder is not there.
    """
    if path.suffix.lower() not in FORMS:
        raise PatchError(
            f"A report cannot be written as '{path.name}'. Name a file that ends in .html, .md "
            "or .json."
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise PatchError(f"'{path}' cannot be written. Name a file in a folder that exists.")


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """Writes a report; the name's ending chooses HTML, Markdown or JSON.

    Raises:
        PatchError: another ending, or the file cannot be written.
    """
    require_form(path)
    try:
        path.write_text(FORMS[path.suffix.lower()](report), encoding="utf-8")
    except OSError as error:
        raise PatchError(f"'{path}' cannot be written: {error.strerror or error}.") from error
