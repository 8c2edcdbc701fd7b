"""An edit written in the form in which people run it: one door to all forms."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench.errors import SettingsError
from workbench.facts.fact import Fact, facts_digest
from workbench.model.export import require_in_memory
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch, require_weights
from workbench.ship.adapter import exporting_adapter
from workbench.ship.export_settings import ExportForm, ExportSettings
from workbench.ship.full import exporting_full
from workbench.ship.gguf_export import exporting_gguf
from workbench.ship.push import push
from workbench.ship.result import ExportResult, Remark
from workbench.ship.task_vector import exporting_delta
from workbench.work.events import Progress, Work
from workbench.work.stop import Stop

__all__ = ["form_meant", "shipping"]

# Settings that say something of one form alone.
OF_FORM: dict[str, ExportForm] = {
    "gguf": "gguf",
    "tensor_type": "gguf",
    "rank": "adapter",
    "weights": "full",
}


def form_meant(settings: ExportSettings) -> ExportForm:
    """The form that is written.

    Raises:
        SettingsError: a setting is of another form.
    """
    form: ExportForm = settings.form or ("gguf" if settings.gguf else "full")
    for name, only in OF_FORM.items():
        if getattr(settings, name) and form != only:
            raise SettingsError(f"{name} says something of the form {only}; {form} is written.")
    return form


def shipping(
    model: LanguageModel,
    patch: Patch,
    out: Path,
    facts: Sequence[Fact] = (),
    settings: ExportSettings | None = None,
    stop: Stop | None = None,
) -> Work[ExportResult]:
    """Writes an edit, asks what was written, and uploads it where that is wanted.

    Args:
        model: the base.
        patch: the edit.
        out: the new file or folder.
        facts: what was edited; without them little can be asked.
        settings: None for all defaults.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end; nothing is left.
        WorkbenchError: it cannot be written, or does not hold what it should; nothing is left.
            Or it cannot be uploaded; then it is whole where it was written.
    """
    chosen = settings or ExportSettings()
    form = form_meant(chosen)
    require_in_memory(model)
    require_weights(patch.metadata)
    told = patch.metadata
    if facts and (len(facts), facts_digest(facts)) != (told["facts"], told["facts_digest"]):
        yield Remark(
            "These are not exactly the facts that the patch was made of; they are asked as they "
            "stand."
        )
    if form == "delta":
        done = yield from exporting_delta(model, patch, out, stop)
    elif form == "gguf":
        done = yield from exporting_gguf(model, patch, out, facts, chosen, stop)
    elif form == "adapter":
        done = yield from exporting_adapter(model, patch, out, facts, chosen, stop)
    else:
        done = yield from exporting_full(model, patch, out, facts, chosen, stop)
    if chosen.push:
        yield Progress(0, 1, f"Uploading to {chosen.push}")
        done = replace(done, pushed=push(out, chosen.push, public=chosen.public))
    return done
