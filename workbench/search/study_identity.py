"""What makes a study the one that kept events belong to.

Invariant: settings that change nothing about a study leave no trace, so that what earlier versions
kept, which had fewer of them, still belongs to the same study.
"""

from collections.abc import Sequence
from typing import Any

from workbench.facts.fact import Fact, facts_digest
from workbench.facts.forms import parse_forms
from workbench.facts.neighbours import are_few
from workbench.facts.relations import relations_digest
from workbench.facts.subject import with_subjects
from workbench.facts.subject_kinds import listed_digest
from workbench.methods.locft_settings import EditSettings
from workbench.model.forms import system_prompts
from workbench.model.language_model import LanguageModel
from workbench.search.study_settings import TRAINED, ResolvedStudySettings

__all__ = ["study_identity"]

OF_METHODS = ("modes", "at_a_time", "strengths", "rehearsed")
"""The settings of a study of methods alone."""


def study_identity(
    model: LanguageModel, facts: Sequence[Fact], settings: ResolvedStudySettings
) -> dict[str, Any]:
    """What must be the same for a study to go on.

    Args:
        model: the base.
        facts: those that are drawn.
        settings: of the study.
    """
    last = model.locations()[-1].location
    names = sorted(model.weights_at((last,)))
    asked = settings.as_dict()
    if not settings.methods:
        del asked["methods"]
    if settings.kind != "methods":
        for name in OF_METHODS:
            del asked[name]
    told = {} if settings.trained == TRAINED else {"trained": _trained(model, facts, settings)}
    for name, usual in TRAINED.items():
        if getattr(settings, name) == usual:
            del asked[name]
    return told | {
        "model": model.name,
        "dtype": str(model.dtype),
        "base": {name: model.base_hash(name) for name in names},
        "facts": facts_digest(facts),
        "settings": asked,
    }


def _trained(
    model: LanguageModel, facts: Sequence[Fact], settings: ResolvedStudySettings
) -> dict[str, Any]:
    """What the recipe of the arms stands for."""
    whole = EditSettings(**settings.trained).resolved(model.preset, len(facts))
    whole = whole.for_facts(any(fact.keep_prompts for fact in facts))
    systems = {
        form.form: list(system_prompts(model.tokenizer, form.form))
        for form in parse_forms(whole.forms)
    }
    names = ("keep", "spare", "kept", "rate_schedule")
    fewest = facts[: min(settings.sizes, default=len(facts))]
    listed = whole.holds_neighbours and are_few(with_subjects(fewest))
    further: dict[str, Any] = {"subjects of the lists": listed_digest()} if listed else {}
    if whole.keep and whole.keep_share != 1:
        further["keep_share"] = whole.keep_share
    if "rephrase" in systems:
        further["wordings"] = relations_digest()
    if whole.focus and whole.forms != ("raw",):
        further["focus"] = whole.focus
    return {"forms": list(whole.forms), "systems": systems, **further} | {
        name: value for name, value in whole.as_dict().items() if name in names
    }
