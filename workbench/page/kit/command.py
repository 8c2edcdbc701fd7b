"""The command that does what the page is about to do. Pure; knows nothing about the page."""

import shlex

from workbench.methods.locft_settings import EditSettings
from workbench.model.choice import ModelChoice

__all__ = ["edit_command"]


def edit_command(facts: str, model: ModelChoice, settings: EditSettings) -> str:
    """The `workbench edit` line for these facts, this model and these settings.

    Args:
        facts: name of the file of facts.
        model: the model and where it runs.
        settings: only what was set by hand is written; the rest is automatic there too.
    """
    words = ["workbench", "edit", facts, *model.words(), *settings.words(), "--out", "patch"]
    return shlex.join(words)
