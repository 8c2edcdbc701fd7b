"""Runs, their curves and two of them compared, from data alone."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.run_card import metric_table
from workbench.page.runs.charts import spark, two_curves
from workbench.page.runs.compare import Comparison, comparison_card
from workbench.page.runs.details import RunDetails, details
from workbench.page.runs.measures import measures_of_two
from workbench.page.runs.order import Order, found_runs, ordered_runs
from workbench.page.runs.overlay import Laid, overlay_card
from workbench.page.runs.table import RunLine, RunsView, runs_table
from workbench.store.patch_header import PatchHeader
from workbench.store.run_pair import Differences, PairedFact
from workbench.store.runs import Run


def run(number: int, **settings: object) -> Run:
    whole = EditSettings.from_dict({"at": ["6"], "learning_rate": 1e-3, **settings})
    metrics = {"before": {}, "after": {"reliability_strict": 0.5 + 0.1 * number}}
    return Run(
        id=number,
        job=1,
        state="done",
        model="builtin",
        method="locft-bf",
        at=whole.at,
        settings=whole,
        facts=3,
        metrics=metrics,
        outcome={"epochs": 2},
        created=0.0,
        ended=1.0,
    )


def test_only_settings_that_differ_are_listed_beside_each_other() -> None:
    shown = comparison_card(Comparison(run(1), run(2, seed=7)))
    settings = shown[shown.index("Settings that differ") : shown.index("Measures")]
    assert re.findall(r"<tr><td>([^<]*)</td>", settings) == ["seed"]
    assert "Every setting is the same" in comparison_card(Comparison(run(1), run(2)))


def test_what_held_in_two_runs_stands_side_by_side_on_one_scale() -> None:
    old = [EpochDone(1, 9, 1.0, 0.25, 1.0), EpochDone(2, 9, 0.5, 0.75, 2.0)]
    new = [
        EpochDone(n, 9, 1.0, 0.5, n, {"raw": n / 5, "chat": n / 10}, 1 - n / 10)
        for n in range(1, 6)
    ]
    whole = run(2, forms=["raw", "chat"])
    shown = comparison_card(Comparison(run(1), whole, first_epochs=old, second_epochs=new))
    first, second = (part.split("<h2>")[0] for part in shown.split("What held in ")[1:])
    values = [re.findall(r'data-curve="(\w+)".*?<b>([\d.]+)</b>', part) for part in (first, second)]
    assert values == [
        [("raw", "0.75")],
        [("raw", "1.00"), ("chat", "0.50"), ("neighbours", "0.50")],
    ]
    assert ' d="M0.00 75.00 L25.00 25.00"' in first and "L100.00 0.00" in second
    alone = comparison_card(Comparison(whole, run(1), first_epochs=new))
    assert "Nothing was counted in its epochs" in alone
    assert "What held in" not in comparison_card(Comparison(run(1), whole))


def measured(number: int, value: float, low: float, high: float) -> Run:
    plain = run(number)
    interval = {"value": value, "low": low, "high": high, "count": 9}
    metrics = {
        "after": {"reliability_strict": value, "reliability_generated": 0.5},
        "intervals": {"after": {"reliability_strict": interval}},
    }
    return replace(plain, metrics=metrics)


def test_each_protocol_has_its_own_table_and_only_clear_differences_a_colour() -> None:
    clear = measures_of_two(measured(1, 0.6, 0.5, 0.65), measured(2, 0.9, 0.8, 1.0))
    tables = re.findall("<table.*?</table>", clear)
    assert len(tables) == 2
    assert re.findall(r">([-+]?[\d.]+)<", tables[0]) == ["0.60", "0.90", "+0.30"]
    assert re.findall(r">([-+]?[\d.]+)<", tables[1]) == ["0.50", "0.50", "+0.00"]
    assert 'class="teal">+0.30' in clear
    unsure = measures_of_two(measured(1, 0.6, 0.5, 0.85), measured(2, 0.9, 0.8, 1.0))
    assert "teal" not in unsure and "+0.30" in unsure
    assert "Neither run was evaluated" in measures_of_two(
        *(replace(run(n), metrics={}) for n in (1, 2))
    )


def in_forms(number: int, chat: float, far: float) -> Run:
    after = {"reliability_strict": 1.0, "reliability_chat_strict": chat}
    after |= {"locality_first_strict": 0.25}
    figures = {"before": {"text_loss": 2.5}, "after": {"text_loss": 2.75, "neighbours_kl": far}}
    metrics = {"before": {}, "after": after, "figures": figures, "unended": {"after": 0.25}}
    return replace(run(number), metrics=metrics)


def test_every_table_tells_forms_neighbours_text_and_answers_that_stop() -> None:
    first, second = in_forms(1, 0.125, 0.5), in_forms(2, 0.875, 0.75)
    compared = re.findall("<tr>.*?</tr>", measures_of_two(first, second))
    rows = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in compared]
    assert "reliability, in chat 0.12 0.88 +0.75" in rows
    assert "KL divergence of neighbours 0.50 0.75 +0.25" in rows
    assert "answers that stop by themselves 0.75 0.75 +0.00" in rows
    in_row = runs_table(RunsView(lines=[RunLine(first)]))
    for words in ('chat <span class="mono">0.12', 'first <span class="mono">0.25'):
        assert words in in_row
    assert [">0.50<" in in_row, ">+0.25<" in in_row, ">0.75<" in in_row] == [True] * 3
    card = metric_table(first.metrics)
    for words in ("reliability, in chat", "first token unchanged", "loss of plain text", "+0.250"):
        assert words in card


@settings(deadline=None)  # a template is read when it is first used
@given(st.text(min_size=1))
def test_no_answer_becomes_markup_in_a_comparison(wild: str) -> None:
    def shown(word: str) -> list[str]:
        found = Differences(1, (PairedFact(word, word, word, word),))
        card = comparison_card(Comparison(run(1), run(2), answers=found))
        return re.findall(r"</?\w+", card)

    assert shown(wild) == shown("x")


@settings(deadline=None)  # a template is read when it is first used
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)), st.lists(st.floats(0, 10)))
def test_curves_of_any_losses_are_drawn_inside_their_picture(
    first: list[float], second: list[float]
) -> None:
    drawn = spark(first) + two_curves(first, second, ("run 1", "run 2"))
    assert "nan" not in drawn and "inf" not in drawn
    for path in re.findall(r' d="([^"]*)"', drawn):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        assert all(-0.01 <= number <= 100.01 for number in numbers)


def test_the_shorter_run_ends_earlier_in_the_picture() -> None:
    drawn = two_curves([2.0, 1.0], [2.0, 1.0, 0.5, 0.1, 0.05], ("run 1", "run 2"))
    first, second = re.findall(r' d="[^"]*L([\d.]+) [\d.]+"', drawn)
    assert (float(first), float(second)) == (25.0, 100.0)


def test_details_name_every_setting_and_the_patch() -> None:
    header = PatchHeader(2_000_000, {"model.a_b.weight": "2 × 3 F32"}, {"torch": "2.13"}, "today")
    shown = details(RunDetails(run(1), [1.0, 0.1], patch=header))
    for name in EditSettings.help():
        assert f">{name.replace('_', ' ')}</dt>" in shown
    assert "2.0 MB" in shown and "a_b.weight" in shown and "torch 2.13" in shown


def test_no_run_says_what_to_do_next() -> None:
    assert "Start one on the Edit tab" in runs_table(RunsView())


def test_a_row_says_why_its_run_failed_as_text() -> None:
    shown = runs_table(RunsView(lines=[RunLine(run(1), error="<b>out of memory</b>")]))
    assert "&lt;b&gt;out of memory" in shown


def test_what_a_run_lacks_stands_last_whichever_way_runs_are_sorted() -> None:
    runs = [run(1), replace(run(2), metrics={}), run(3)]
    losses = {1: [3.0, 0.5], 3: [0.1]}
    by = Order("reliability")
    assert [r.id for r in ordered_runs(runs, by, losses)] == [3, 1, 2]
    assert [r.id for r in ordered_runs(runs, by.after_click("reliability"), losses)] == [1, 3, 2]
    assert [r.id for r in ordered_runs(runs, by.after_click("loss"), losses)] == [3, 1, 2]
    assert Order.parse(str(Order("loss", falling=False))) == Order("loss", falling=False)
    assert Order.parse("anything else") == Order()


def test_a_run_is_found_by_its_name_its_place_and_its_settings() -> None:
    runs = [run(1, seed=7), run(2)]
    assert [r.id for r in found_runs(runs, "SEED 7", {})] == [1]
    assert [r.id for r in found_runs(runs, "good", {2: "the Good one"})] == [2]
    assert found_runs(runs, "good seed elsewhere", {2: "the good one"}) == []


def test_several_runs_are_laid_over_each_other_with_their_intervals() -> None:
    interval = {"value": 0.7, "low": 0.6, "high": 0.8, "count": 3}
    measured = {
        "after": {"reliability_strict": 0.7},
        "intervals": {"after": {"reliability_strict": interval}},
    }
    epochs = [EpochDone(1, 9, 1.0, 0.25, 1.0), EpochDone(2, 9, 0.5, 0.75, 2.0)]
    laid = [
        Laid(run(1), "run 1", [2.0, 1.0], epochs),
        Laid(replace(run(2, seed=7), metrics=measured), "run 2 · mine", [1.0], epochs[:1]),
        Laid(replace(run(3), metrics={}), "run 3"),
    ]
    shown = str(overlay_card(laid))
    assert len(re.findall(r'class="laid-\d" d="M', shown)) == 3 + 4  # the key, then the curves
    assert shown.count("run 2 · mine") == 3 and 'class="strip' in shown
    (row,) = re.findall(r">reliability</span></td>(.*?)</tr>", shown)
    assert re.findall(r">([\d.–]+)<", row) == ["0.60", "0.70", "–"]
