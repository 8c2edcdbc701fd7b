"""What holds during a run, and what was brought by what was ticked: drawn from data alone."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.page.test_runs_html import run
from workbench.facts import Fact
from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.effect import effect_table, effects, last_without
from workbench.page.edit.held import held_curves
from workbench.page.edit.run_card import RunView, run_card
from workbench.store import Store
from workbench.store.runs import Run
from workbench.work.events import Event

HOLDS = {"forms": ["raw:2", "question", "chat"], "keep": 1.0, "kept": ["neighbours", "text"]}
SHARE = st.floats(0, 1)


def epoch(number: int, neighbours: float | None = None, **by_form: float) -> EpochDone:
    return EpochDone(number, 40, 1.0, 0.5, number * 0.1, by_form or None, neighbours)


def curves(drawn: str) -> list[str]:
    """The lines of the picture, without those of its key."""
    return re.findall(r' d="([^"]*)"', drawn[: drawn.index("</svg>")])


def test_there_is_a_curve_and_a_number_for_all_that_was_counted_and_no_other() -> None:
    done = [epoch(1, 0.9, raw=0.2, chat=0.0), epoch(2, 0.8, raw=0.996, chat=0.5)]
    drawn = held_curves(done, 40)
    figures = re.findall(r'data-curve="(\w+)".*?<b>([\d.]+)</b>', drawn)
    assert figures == [("raw", "0.99"), ("chat", "0.50"), ("neighbours", "0.80")]
    assert re.findall(r"<td>([\d.]+)</td>", drawn) == [
        "0.20",
        "0.00",
        "0.90",
        "0.99",
        "0.50",
        "0.80",
    ]
    assert "neighbours" not in held_curves([epoch(1, raw=0.2)], 40)
    assert held_curves([], 40) == "" == held_curves([epoch(1), epoch(2)], 40)


def test_what_is_counted_now_and_then_is_drawn_where_it_was_counted() -> None:
    drawn = held_curves([epoch(1, raw=0.0), epoch(2, 0.5, raw=0.5), epoch(3, raw=1.0)], 3)
    raw, stays = curves(drawn)
    assert raw == "M0.00 100.00 L50.00 50.00 L100.00 0.00"
    assert stays.startswith("M50.00 50.00")
    # Epochs that a crash had done again.
    again = held_curves([epoch(1, raw=0.0), epoch(2, raw=0.2), epoch(2, raw=0.5)], 2)
    assert "M0.00 100.00 L100.00 50.00" in again


@settings(deadline=None)  # a template is read when it is first used
@given(
    st.lists(st.tuples(SHARE | st.just(float("nan")), st.none() | SHARE), min_size=1),
    st.integers(1),
)
def test_curves_of_any_shares_lie_in_their_picture(
    shares: list[tuple[float, float | None]], most: int
) -> None:
    done = [epoch(number, kept, raw=raw) for number, (raw, kept) in enumerate(shares, start=1)]
    for path in curves(held_curves(done, max(most, len(done)))):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        assert all(0 <= number <= 100 for number in numbers)


def test_a_run_of_many_epochs_is_drawn_as_quickly_as_a_short_one() -> None:
    drawn = held_curves([epoch(number, 0.5, raw=0.5) for number in range(1, 5001)], 5000)
    assert len(drawn) < 12_000 and drawn.count('<th scope="row">') == 6
    assert '<th scope="row">5000' in drawn


def test_an_epoch_of_an_earlier_version_is_read_and_a_new_one_comes_back_whole() -> None:
    old = {"event": "EpochDone", "epoch": 1, "epochs": 2, "loss": 0.5, "learned": 0.5}
    assert Event.from_dict({**old, "seconds": 1.0}) == EpochDone(1, 2, 0.5, 0.5, 1.0)
    new = epoch(2, 0.25, raw=1.0, chat=0.5)
    assert Event.from_dict(json.loads(json.dumps(new.as_dict()))) == new


def test_a_run_stands_beside_the_last_one_without_each_of_its_levers() -> None:
    published, forms = run(1), run(2, forms=["raw:2", "question", "chat"])
    other_model = replace(run(3), model="another")
    failed = replace(run(4), state="failed")
    kept, whole = run(5, keep=1.0, kept=["neighbours", "text"]), run(6, **HOLDS)
    later = run(7)
    runs = [later, whole, kept, failed, other_model, forms, published]
    assert last_without(whole, runs) == [
        (kept, ("as a question", "in a chat")),
        (forms, ("other subjects in the same sentences", "plain text")),
    ]
    assert last_without(published, runs) == []


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.facts.add([Fact("prompt", "x")], "file")
    return store


def finished(store: Store, last: EpochDone, **how: object) -> Run:
    whole = EditSettings.from_dict({"at": ["6"], "learning_rate": 1e-3, **how})
    number = store.runs.begin(store.jobs.submit("edit"), "builtin", whole, store.facts.enabled())
    store.runs.add_events(number, [epoch(1, 1.0, raw=0.0), last])
    store.runs.end(number, "done", {"epochs": 2})
    return store.runs.get(number)


def test_the_numbers_of_both_stand_side_by_side(store: Store) -> None:
    first = finished(store, replace(epoch(2), learned=0.75), recipe="published")
    second = finished(store, epoch(2, 0.625, raw=1.0, question=0.5, chat=0.25), **HOLDS)
    store.runs.set_metrics(first.id, {"after": {"reliability_chat_strict": 0.125}})
    told = {"after": {"text_loss": 2.25}}
    store.runs.set_metrics(
        second.id, {"after": {"reliability_chat_strict": 0.875}, "figures": told}
    )
    assert effects(store, first) == effects(store, replace(second, state="running")) == []
    found = effects(store, store.runs.get(second.id))
    card = run_card(RunView(run=second, epochs=[epoch(1)], effects=found))
    table = card[card.index("What did it bring?") :]
    assert re.findall(r"<tr><td>(?:<span [^>]*>)?([\w ]+)<", table) == [
        *("raw", "question", "chat", "neighbours"),
        "in a chat",
        "loss of plain text",
    ]
    numbers = re.findall(r'<td class="num">([\d.–]+)</td>', table)
    assert numbers[:8] == ["1.00", "0.75", "0.50", "–", "0.25", "–", "0.62", "–"]
    assert numbers[8:] == ["0.88", "0.12", "2.25", "–"]
    assert "Run 1 was without: as a question, in a chat, other subjects" in table
    assert effect_table(found[:1]) == ""
