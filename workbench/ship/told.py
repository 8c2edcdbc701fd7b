"""The result of an export in lines of text, for the terminal and the page."""

from workbench.ship.result import ExportResult
from workbench.work.words import size

__all__ = ["result_lines"]

WHAT = {
    "full": "The edited model is in",
    "gguf": "The edited model is in",
    "adapter": "The adapter is in",
    "delta": "The differences are in",
}


def result_lines(done: ExportResult) -> list[str]:
    """What was written, what it was asked, and what people should know of it."""
    kinds = [f"{name} {done.told[name]}" for name in ("type", "rank", "dtype") if name in done.told]
    lines = [f"{WHAT[done.form]} {done.path} ({', '.join([size(done.bytes), *kinds])})."]
    if done.checked:
        lines.append(
            f"Loaded again, it gave the answers of the edited model to all {done.checked} prompts "
            "that it was asked."
        )
    if done.facts is not None:
        lines.append(
            f"Edited facts right ({done.runtime or 'in memory'}, strict): {done.facts.before} of "
            f"{done.facts.asked} before, {done.facts.after} after; the patch holds {done.held}."
        )
    if done.others is not None:
        lines.append(
            f"Other questions right ({done.runtime}): {done.others.before} of {done.others.asked} "
            f"before, {done.others.after} after."
        )
    lines += done.notes
    if done.pushed:
        lines.append(f"Uploaded to {done.pushed}")
    return lines
