"""What facts bring to be trained on and a run leaves out, said in words.

Knows nothing about models.
"""

from collections.abc import Iterator, Sequence

from workbench.facts.fact import Fact
from workbench.facts.forms import parse_forms
from workbench.facts.overlaps import kept_questions, overlaps, trained_wordings
from workbench.facts.problems import shorten
from workbench.methods.locft_settings import EditSettings
from workbench.methods.recipes import MOST_BROUGHT, most_wordings
from workbench.work.settings import SettingsRecord
from workbench.work.words import count

__all__ = ["left_out"]

SHARED = ("wording shared", "keep shared")


def left_out(facts: Sequence[Fact], settings: SettingsRecord) -> Iterator[str]:
    """Sentences on what a run does not train on although facts bring it.

    Args:
        facts: of the run.
        settings: of the run, resolved.
    """
    if not isinstance(settings, EditSettings):
        return  # what a method from elsewhere trains on is its own
    found = [one for one in overlaps(facts) if one.kind not in SHARED]
    if found:
        first, owner = found[0], facts[found[0].owner]
        more = f" {len(found) - 1} more are left out likewise." if len(found) > 1 else ""
        yield f"{first.what} '{shorten(owner.prompt)}'.{more}"
    forms = {form.form for form in parse_forms(settings.forms)}
    kept = settings.kept if settings.keep else ()
    wordings, keeps = (
        sum(bool(getattr(fact, part)) for fact in facts) for part in ("wordings", "keep_prompts")
    )
    if wordings and "rephrase" not in forms:
        yield (
            f"The wordings of {count(wordings, 'fact')} are not trained on: the form 'rephrase' is "
            "not among those of this run. The recipe 'holds' has it."
        )
    if settings.other_subjects and "neighbours" not in kept:
        yield (
            "Your other subjects are not held: 'neighbours' is not among what this run keeps. The "
            "recipe 'holds' has it."
        )
    most = most_wordings(len(facts))
    if "rephrase" in forms and any(len(texts) > most for texts in trained_wordings(facts)):
        yield f"Of a fact's wordings {most:,} are trained on at most, drawn by the seed."
    if keeps and "yours" not in kept:
        yield (
            f"The keep prompts of {count(keeps, 'fact')} are not held: 'yours' is not among what "
            "this run keeps. The recipe 'holds' has it."
        )
    many = len(kept_questions(facts)) if keeps > 0 and "yours" in kept else 0
    if many > MOST_BROUGHT:
        yield f"Of {many:,} keep prompts {MOST_BROUGHT:,} are held, drawn by the seed."
