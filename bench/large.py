"""Sessions with much in them, for measuring the page: many runs, and a model of many layers.

What they hold is made up, as a worker would have written it; a model of many layers is a name and
a shape, which nothing loads.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.model.places import Places
from workbench.model.summary import ModelSummary
from workbench.search.scan_result import Scan, ScanRow
from workbench.store import Store
from workbench.store.facts import FactRow
from workbench.store.settings import FOREIGN_MODEL

__all__ = ["add_deep_profile", "add_runs"]

MEASURES = ("reliability", "generalization", "locality", "locality_first", "reliability_chat")
MODULES = (
    *("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
    *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
)
EPOCHS = 25


def add_runs(store: Store, number: int, summary: ModelSummary) -> None:
    """Adds runs that are done and measured, a few settings apart, of the first twenty facts.

    Args:
        store: the session, with facts in it.
        number: how many.
        summary: of the session's model.
    """
    chance, rows = random.Random(0), store.facts.enabled()[:20]
    for place in range(number):
        asked = EditSettings(
            at=(f"{place % summary.layers}.mlp.down_proj",),
            seed=place % 5,
            learning_rate=chance.choice((3e-4, 1e-3, 3e-3)),
            recipe=chance.choice(("published", "holds")),
            epochs=EPOCHS,
        )
        whole = asked.resolved(summary.preset, len(rows)).for_facts(False)
        _add_run(store, EditSettings.from_dict(whole.as_dict()), rows, chance)


def _add_run(
    store: Store, settings: EditSettings, rows: Sequence[FactRow], chance: random.Random
) -> None:
    job = store.jobs.submit("load")
    store.jobs.finish(job, "done")
    run = store.runs.begin(job, store.settings.model.name, settings, rows)
    losses = [2.0 * 0.8**epoch * chance.uniform(1.0, 1.2) for epoch in range(EPOCHS)]
    store.runs.add_events(
        run,
        [
            events.EpochDone(epoch, EPOCHS, loss, min(1.0, epoch / 20), float(epoch))
            for epoch, loss in enumerate(losses, start=1)
        ],
    )
    shares = {
        f"{name}_{by}": chance.random() for name in MEASURES for by in ("strict", "generated")
    }
    intervals = {
        name: {"value": value, "low": 0.9 * value, "high": min(1.0, 1.1 * value), "count": 20}
        for name, value in shares.items()
    }
    store.runs.set_metrics(run, {"before": {}, "after": shares, "intervals": {"after": intervals}})
    store.runs.set_learned(run, [(row.id, chance.random() < 0.9) for row in rows])
    store.runs.end(run, "done", {"epochs": EPOCHS, "losses": losses, "seconds": 60.0})


def add_deep_profile(store: Store, layers: int, like: ModelSummary) -> None:
    """Makes a session's model one of many layers, each of whose matrices was scanned.

    Args:
        store: the session.
        layers: how many.
        like: of a model that is like it but for them.
    """
    every = tuple(range(layers))
    store.settings.set("model", {"name": "a deep model"})
    store.settings.set(FOREIGN_MODEL, True)  # so that nobody looks for it
    store.settings.keep_summary(
        replace(
            like,
            name="a deep model",
            layers=layers,
            matrices=MODULES,
            places=Places(layers, dict.fromkeys(MODULES, every)),
        )
    )
    rows = tuple(
        ScanRow(f"{layer}.{module}", layer, module, 1000, 1.0, 0.9**layer, layer / layers)
        for layer in every
        for module in MODULES
    )
    store.profiles.add_scan("a deep model", Scan(rows, 64, 64, 8, 8, 100.0))
