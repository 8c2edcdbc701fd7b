"""The published formats, one a file, each told by its columns and by what is in them.

Knows nothing about files, or about what makes a fact good.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.facts.columns import own_layout
from workbench.facts.formats.akew import AKEW
from workbench.facts.formats.alpaca import ALPACA
from workbench.facts.formats.chat import OPENAI, SHAREGPT
from workbench.facts.formats.counterfact import COUNTERFACT
from workbench.facts.formats.easyedit import EASYEDIT
from workbench.facts.formats.fever import FEVER
from workbench.facts.formats.flat import COUNTERFACT_FLAT, WIKIBIGEDIT_FLAT
from workbench.facts.formats.hallueditbench import HALLUEDITBENCH
from workbench.facts.formats.knowedit import KNOWEDIT
from workbench.facts.formats.mededitbench import MEDEDITBENCH
from workbench.facts.formats.mquake import MQUAKE
from workbench.facts.formats.qaedit import QAEDIT
from workbench.facts.formats.rippleedits import RIPPLEEDITS
from workbench.facts.formats.ultraeditbench import ULTRAEDITBENCH
from workbench.facts.formats.uniedit import UNIEDIT
from workbench.facts.formats.unke import UNKE
from workbench.facts.formats.wikibigedit import WIKIBIGEDIT
from workbench.facts.formats.zsre import ZSRE
from workbench.facts.layout import Format, Layout
from workbench.facts.tables.printed import taken_apart

__all__ = ["FORMATS", "published_layout", "recognise"]

# In the order in which they are tried: what can only be one format comes first.
FORMATS: tuple[Format, ...] = (
    AKEW,
    MQUAKE,
    COUNTERFACT,
    UNIEDIT,
    RIPPLEEDITS,
    QAEDIT,
    KNOWEDIT,
    WIKIBIGEDIT,
    HALLUEDITBENCH,
    ZSRE,
    FEVER,
    ULTRAEDITBENCH,
    COUNTERFACT_FLAT,
    WIKIBIGEDIT_FLAT,
    UNKE,
    MEDEDITBENCH,
    EASYEDIT,
    OPENAI,
    SHAREGPT,
    ALPACA,
)


def published_layout(names: Sequence[str], sample: Mapping[str, Any]) -> Layout | None:
    """The layout of the published format that fits; None when none does.

    Args:
        names: the columns' names.
        sample: the first value in each column that is not None.
    """
    present, sample = frozenset(names), taken_apart(sample)
    for known in FORMATS:
        if known.fits(present, sample):
            return known.layout(present)
    return None


def recognise(
    names: Sequence[str],
    sample: Mapping[str, Any],
    where: str,
    said: Mapping[str, str] | None = None,
) -> Layout:
    """Finds out which column holds which part of a fact.

    Args:
        names: the columns' names, in their order.
        sample: the first value in each column that is not None.
        where: the file, for messages.
        said: fields and their columns, where somebody says so; then it is a table of one's own.

    Raises:
        FactsError: no column for the prompt or none for the new answer, or two of one name.
    """
    if not said:
        published = published_layout(names, sample)
        if published is not None:
            return published
    return own_layout(names, where, said)
