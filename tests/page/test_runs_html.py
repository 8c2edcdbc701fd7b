"""Runs, their curves and two of them compared, from data alone."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.methods.events import EpochDone
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.run_card import metric_table
from workbench.page.runs.charts import spark
from workbench.page.runs.compare import Comparison, comparison_card
from workbench.page.runs.details import RunDetails, details
from workbench.page.runs.groups import Grouping
from workbench.page.runs.hues import hue_of
from workbench.page.runs.measures import measures_of_two
from workbench.page.runs.order import Order, found_runs, ordered_runs
from workbench.page.runs.overlay import Laid, overlay_card, pictures_of
from workbench.page.runs.scatter_card import Axes, points_of, scatter_bar
from workbench.page.runs.table import RunsView, runs_table
from workbench.page.runs.values import RunLine, values_of
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


def two(*runs: Run) -> str:
    return str(measures_of_two(*(Laid(each, each.name, hue=each.id) for each in runs)))


def test_each_protocol_has_its_own_table_and_only_clear_differences_a_colour() -> None:
    clear = two(measured(1, 0.6, 0.5, 0.65), measured(2, 0.9, 0.8, 1.0))
    tables = re.findall("<table.*?</table>", clear)
    assert len(tables) == 2
    assert re.findall(r">([-+]?[\d.]+)<", tables[0]) == ["0.60", "0.90", "+0.30"]
    assert re.findall(r">([-+]?[\d.]+)<", tables[1]) == ["0.50", "0.50", "+0.00"]
    assert 'class="teal">+0.30' in clear
    assert len(re.findall('class="strip', clear)) == 2 and "laid-head hue-2" in clear
    unsure = two(measured(1, 0.6, 0.5, 0.85), measured(2, 0.9, 0.8, 1.0))
    assert "teal" not in unsure and "+0.30" in unsure
    assert "Neither run was evaluated" in two(*(replace(run(n), metrics={}) for n in (1, 2)))


def in_forms(number: int, chat: float, far: float) -> Run:
    after = {"reliability_strict": 1.0, "reliability_chat_strict": chat}
    after |= {"locality_first_strict": 0.25}
    figures = {"before": {"text_loss": 2.5}, "after": {"text_loss": 2.75, "neighbours_kl": far}}
    metrics = {"before": {}, "after": after, "figures": figures, "unended": {"after": 0.25}}
    return replace(run(number), metrics=metrics)


def test_every_table_tells_forms_neighbours_text_and_answers_that_stop() -> None:
    first, second = in_forms(1, 0.125, 0.5), in_forms(2, 0.875, 0.75)
    compared = re.findall("<tr>.*?</tr>", two(first, second))
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
    both = pictures_of([Laid(run(1), "run 1", first), Laid(run(2), "run 2", second)])
    drawn = str(spark(first)) + "".join(f' d="{path}"' for _, path in both.losses)
    assert "nan" not in drawn and "inf" not in drawn
    for path in re.findall(r' d="([^"]*)"', drawn):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        assert all(-0.01 <= number <= 100.01 for number in numbers)


def test_the_shorter_run_ends_earlier_in_the_picture() -> None:
    laid = [Laid(run(1), "run 1", [2.0, 1.0]), Laid(run(2), "run 2", [2.0, 1.0, 0.5, 0.1, 0.05])]
    first, second = (path.split("L")[-1].split()[0] for _, path in pictures_of(laid).losses)
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
        Laid(replace(run(2, seed=7), metrics=measured), "run 2 · mine", [1.0], epochs[:1], hue=4),
        Laid(replace(run(3), metrics={}), "run 3", hue=4),
    ]
    shown = str(overlay_card(laid))
    drawn = re.findall(r'class="(hue-\d(?: again)?)" d="M', shown)
    # The key, then the losses and what was learned; the third run has no epoch.
    assert drawn == ["hue-1", "hue-4", "hue-4 again", "hue-1", "hue-4", "hue-1", "hue-4"]
    assert "run 2 · mine" in shown and 'class="strip' in shown
    (row,) = re.findall(r">reliability</span></td>(.*?)</tr>", shown)
    assert re.findall(r">([\d.–]+)<", row) == ["0.60", "0.70", "–"]


def lines_of_seeds() -> list[RunLine]:
    return [RunLine(run(4, seed=2), [0.5]), *(RunLine(run(n, seed=1), [n]) for n in (3, 2, 1))]


def rows_of(view: RunsView) -> list[tuple[str, str]]:
    """The runs and the heads of groups as they stand below each other."""
    found: list[tuple[str, str]] = re.findall(
        r'<b>(run \d)</b>|rowgroup.*?"mono">([^<]*)<', runs_table(view)
    )
    return found


def test_groups_tell_the_mean_and_the_spread_of_their_runs_and_fold() -> None:
    view = RunsView(lines=lines_of_seeds(), grouping=Grouping("set.seed"))
    shown = runs_table(view)
    assert rows_of(view) == [
        ("", "2"),
        ("run 4", ""),
        ("", "1"),
        *((f"run {n}", "") for n in (3, 2, 1)),
    ]
    _, alone, several = re.split('<tr class="group">', shown)
    # Three runs with 0.6, 0.7 and 0.8: their mean and the deviation of a sample.
    assert "0.70 ±0.10" in several and "3 runs: means" in several
    assert "±" not in alone.split("</tr>")[0] and ">0.90<" in alone
    folded = replace(view, grouping=view.grouping.after_click("1"))
    assert rows_of(folded) == [("", "2"), ("run 4", ""), ("", "1")]
    assert Grouping.parse(str(folded.grouping)) == folded.grouping
    assert folded.grouping.after_click("1") == view.grouping
    assert Grouping.parse("anything else") == Grouping()


def test_pinned_runs_stand_first_and_so_does_their_group() -> None:
    view = RunsView(lines=lines_of_seeds(), pinned=[2])
    assert [run for run, _ in rows_of(view)] == ["run 2", "run 4", "run 3", "run 1"]
    together = rows_of(replace(view, grouping=Grouping("set.seed")))
    assert together[:3] == [("", "1"), ("run 2", ""), ("run 3", "")]


def test_a_run_has_the_colour_that_a_person_chose_else_that_of_its_number() -> None:
    assert [hue_of(run, {2: 5, 3: 99}) for run in (1, 2, 3, 7)] == [1, 5, 3, 1]


def test_runs_are_laid_out_by_number_or_by_word_and_only_where_they_have_both() -> None:
    lines = [
        RunLine(run(1, recipe="published")),
        RunLine(run(2, recipe="holds")),
        RunLine(replace(run(3), metrics={})),
    ]
    runs = [(line.run.name, 1, values_of(line)) for line in lines]
    by = "after.reliability_strict"
    over = [(p.name, p.x, p.y) for p in points_of(runs, Axes("set.learning_rate", by))]
    assert over == [("run 1", 1e-3, 0.6), ("run 2", 1e-3, 0.7)]
    words = [p.x for p in points_of(runs, Axes("set.recipe", by))]
    assert words == ["published", "holds"]
    shown = scatter_bar(runs, Axes("set.recipe", by))
    table = re.findall('<th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td>', shown)
    assert table == [("run 1", "published", "0.6"), ("run 2", "holds", "0.7")]
    assert "No run has both" in scatter_bar(runs[2:] + runs[:1], Axes("after.text_loss", by))


def test_what_is_not_offered_for_the_runs_that_are_found_is_not_drawn() -> None:
    values = [values_of(RunLine(run(n, seed=n))) for n in (1, 2)]
    by = "after.reliability_strict"
    assert Axes("set.seed", by).among(values) == Axes("set.seed", by)
    assert Axes(by, by).among(values) == Axes(by, by)
    assert Axes("set.seed", by).among(values[:1]) == Axes("", by)
    assert Axes("set.<b>", "set.seed").among(values) == Axes()


def test_runs_that_have_an_empty_text_in_common_have_their_means() -> None:
    lines = [RunLine(replace(run(n), at=at)) for n, at in ((1, ()), (3, ()), (2, ("6",)))]
    shown = runs_table(RunsView(lines=lines, grouping=Grouping("run.at")))
    (first, second) = re.findall('<tr class="group">.*?</tr>', shown, re.DOTALL)
    assert 'data-group="–"' in first and "0.70 ±0.14" in first
    assert 'data-group="6"' in second


def test_a_run_without_intervals_is_compared_without_them() -> None:
    bare = replace(run(1), metrics={**run(1).metrics, "intervals": None})
    assert 'class="strip' not in two(bare, run(2))
