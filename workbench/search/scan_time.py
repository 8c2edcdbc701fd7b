"""How long a scan will take, from a few of its passes that are really made.

Invariant: the passes are thrown away; the model is the untouched base afterwards.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice, pairwise

from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.search.scan import ASKED, scanning
from workbench.search.scan_settings import ScanSettings
from workbench.work.events import Progress
from workbench.work.stop import Cancelled, Stop

__all__ = ["scan_seconds"]

FEW = 8  # facts that are passed at once, so that nobody who waits waits long
PASSES = 3  # that of the facts, and two of unrelated prompts, the first of which warms up


def scan_seconds(
    model: LanguageModel, facts: Sequence[Fact], settings: ScanSettings, stop: Stop
) -> float | None:
    """Measures a few passes of a scan; None when somebody wanted it to end.

    Args:
        model: the base.
        facts: what the sample is drawn from.
        settings: of the scan.
        stop: asked between passes.

    Raises:
        WorkbenchError: as the scan itself would.
    """
    few = replace(settings, sample=min(FEW, settings.sample))
    moments, texts = [time.perf_counter()], []
    try:
        with closing(scanning(model, facts, few, stop=stop)) as work:
            for event in islice(work, PASSES):
                if isinstance(event, Progress):
                    texts.append(event.done)
                    moments.append(time.perf_counter())
    except Cancelled:
        return None
    seconds = [after - before for before, after in pairwise(moments)]
    alone, first = seconds[-1], seconds[0]
    each = max(0.0, first - alone) / max(1.0, texts[0] - 1)
    sample = min(settings.sample, len(facts))
    return (1 + ASKED) * alone + (sample - 1) * each
