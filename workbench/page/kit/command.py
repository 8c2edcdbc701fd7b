"""The command that does what the page is about to do. Pure; knows nothing about the page."""

import shlex

from workbench.methods.locft_settings import EditSettings
from workbench.store.settings import ModelChoice

__all__ = ["edit_command"]


def edit_command(facts: str, model: ModelChoice, settings: EditSettings) -> str:
    """The `workbench edit` line for these facts, this model and these settings.

    Args:
        facts: name of the file of facts.
        model: the model and where it runs.
        settings: only what was set by hand is written; the rest is automatic there too.
    """
    words = ["workbench", "edit", facts]
    if model.name != "builtin":
        words += ["--model", model.name]
    for where in settings.at:
        words += ["--at", where]
    automatic = EditSettings()
    for option, name in (
        ("--lr", "learning_rate"),
        ("--batch-size", "batch_size"),
        ("--epochs", "epochs"),
        ("--pipeline", "pipeline"),
        ("--seed", "seed"),
        ("--skip-loss", "skip_loss"),
        ("--stop-loss", "stop_loss"),
        ("--micro-batch-size", "micro_batch_size"),
    ):
        value = getattr(settings, name)
        if value != getattr(automatic, name):
            words += [option, str(value)]
    for option, place in (("--device", model.device), ("--dtype", model.dtype)):
        if place is not None:
            words += [option, place]
    return shlex.join([*words, "--out", "patch"])
