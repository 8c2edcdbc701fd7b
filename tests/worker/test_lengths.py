"""While nothing waits, the worker looks at every fact with the model's tokenizer, once."""

from pathlib import Path

from workbench.facts import Fact
from workbench.model.language_model import LanguageModel
from workbench.store import Store
from workbench.work.stop import Stop
from workbench.worker.lengths import LengthKeeper


def test_what_is_long_and_what_is_special_stand_with_the_fact(
    tmp_path: Path, model: LanguageModel
) -> None:
    store = Store(tmp_path)
    facts = [Fact("A is", "B"), Fact("The <pad> is", "x" * 40), Fact("C is", "D<eos>")]
    ids = store.facts.add(facts, "file").ids
    LengthKeeper().measure(store, model, Stop())
    found = [[(p.field, p.kind) for p in store.facts.get(row).problems] for row in ids]
    assert found == [
        [],
        [("target_new", "answer cut"), ("prompt", "special token")],
        [("target_new", "special token")],
    ]
    assert store.lengths.unmeasured(model.name, 10) == []
