"""What makes a run of LocFT-BF the one that a checkpoint belongs to.

Invariant: settings that change nothing about a run leave no trace, so that what earlier versions
kept, which had fewer of them, still belongs to the same run.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from workbench.errors import PatchError
from workbench.facts.fact import Fact, facts_digest
from workbench.facts.forms import parse_forms
from workbench.facts.relations import relations_digest
from workbench.facts.subject_kinds import listed_digest
from workbench.methods.locft_settings import ResolvedEditSettings
from workbench.model.language_model import LanguageModel
from workbench.model.ranks import Ranks

__all__ = ["require_same", "run_identity"]

PUBLISHED = {
    "rate_schedule": "constant",
    "forms": ["raw"],
    "keep": 0.0,
    "keep_share": 1.0,
    "spare": 0.0,
    "focus": 0.0,
    "other_subjects": [],
}
"""What runs did before there were these settings."""


def run_identity(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: ResolvedEditSettings,
    tuned: Iterable[str],
    systems: Sequence[str],
    few: bool,
) -> dict[str, Any]:
    """What must be the same for a checkpoint to go on.

    Args:
        model: the base.
        facts: of the run.
        settings: of the run.
        tuned: names of the tuned weights.
        systems: the system prompts with which chats are trained.
        few: whether the facts have few subjects, see `are_few`.
    """
    told = replace(settings, micro_batch_size=None).as_dict()
    del told["recipe"]  # what it stands for is in the others
    if not settings.keep:
        told["keep_share"] = PUBLISHED["keep_share"]
    if told["forms"] == PUBLISHED["forms"]:
        told["focus"] = PUBLISHED["focus"]
    if not settings.needs_kept:
        del told["kept"]
    if not settings.holds_neighbours:
        told["other_subjects"] = []
    for name, published in PUBLISHED.items():
        if told[name] == published:
            del told[name]
    # Earlier versions trained chats without one alone, and held the facts' own subjects alone.
    further: dict[str, Any] = {"chats with a system prompt": list(systems)} if systems else {}
    if few and settings.holds_neighbours:
        further["subjects of the lists"] = listed_digest()
    if any(form.form == "rephrase" for form in parse_forms(settings.forms)):
        further["wordings"] = relations_digest()
    if model.edition:
        further["earlier edit"] = model.edition
    return further | {
        "settings": told,
        "facts": facts_digest(facts),
        "base": {name: model.base_hash(name) for name in tuned},
        "dtype": str(model.dtype),
    }


def require_same(ranks: Ranks, identity: dict[str, Any], done: int) -> None:
    """Makes sure that processes which share a run all make the same one.

    Args:
        ranks: the processes; all of them ask this at once.
        identity: see `run_identity`.
        done: batches that an earlier part of the run has seen.

    Raises:
        PatchError: they do not.
        RankLost: one of them is gone.
    """
    if ranks.alone:
        return
    told = json.dumps([identity, done], sort_keys=True)
    found = ranks.gathered(hashlib.sha256(told.encode()).hexdigest())
    if len(set(found)) > 1:
        raise PatchError(
            "The processes of this run do not start from the same: facts, settings, model or "
            "checkpoint differ between them. Give all machines the same files."
        )
