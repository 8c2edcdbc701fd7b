"""Forms: every setting is on the page once, and what is typed is what is kept."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.summary import SUMMARY
from workbench.errors import SettingsError
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.probe_settings import ProbeSettings
from workbench.measure.stress_settings import PROBES, StressSettings
from workbench.methods.base import LOCFT_BF, METHODS
from workbench.methods.locft_settings import EditSettings
from workbench.methods.plan_settings import PlanSettings
from workbench.methods.rephrase_settings import MOST_WORDINGS, RephraseSettings
from workbench.model.choice import ModelChoice
from workbench.page.app import build
from workbench.page.edit.tab import add_edit_tab
from workbench.page.evaluate.study_card import add_study_card
from workbench.page.kit.form import add_fields
from workbench.page.layers.sweep_fields import (
    add_sweep_fields,
    sweep_settings,
    sweep_weights,
)
from workbench.search.scan_settings import ScanSettings
from workbench.search.score import ScoreWeights
from workbench.search.study_settings import StudySettings
from workbench.search.sweep_settings import TRAINED, SweepSettings
from workbench.search.weights import PRESET_WEIGHTS
from workbench.store import Library, Store
from workbench.work.settings import Setting, SettingsRecord, settings_of

Made = TypeVar("Made")
# Each with the names of those that have their place elsewhere.
FORMS: dict[type[SettingsRecord], tuple[str, ...]] = {
    EditSettings: ("at", "recipe", "kept"),
    SweepSettings: TRAINED,
    EvaluationSettings: (),
    ScanSettings: (),
    ProbeSettings: (),
    StudySettings: ("kind",),
    StressSettings: ("judge_model", "judge_url", "judge_key_env"),
    ModelChoice: (),
}
RIVALS = [method for method in METHODS.values() if method is not LOCFT_BF]
EVERY = [(kind, found) for kind in FORMS for found in settings_of(kind)]
PLACES = st.sampled_from(["6", "6.mlp", "22.mlp.down_proj"])
MODULES = st.sampled_from(["layer", "all", "mlp", "mlp.down_proj"])
WORDS = st.text("abcdefgh-_/", min_size=1, max_size=9)
RATES = st.floats(1e-12, 1e3)
WEIGHTS = st.floats(0, 1e6)
FORM_ORDER = ["raw", "question:2", "chat:0.5"]  # in which they are kept
FORMS_KEPT = st.lists(st.sampled_from(FORM_ORDER), unique=True).map(
    lambda forms: tuple(sorted(forms, key=FORM_ORDER.index))
)
OWN: dict[tuple[type[SettingsRecord], str], st.SearchStrategy[Any]] = {
    (EditSettings, "at"): st.lists(PLACES.filter("6".__ne__), max_size=1).map(tuple),
    (EditSettings, "forms"): FORMS_KEPT,
    (EvaluationSettings, "forms"): st.sampled_from([(), ("raw",), ("question", "chat")]),
    (StudySettings, "at"): st.just("") | PLACES,
    (StudySettings, "locft_at"): st.just("") | PLACES,
    (PlanSettings, "at"): st.lists(PLACES.filter("6".__ne__), max_size=1).map(tuple),
    (SweepSettings, "modules"): st.lists(MODULES, unique=True).map(tuple),
    (SweepSettings, "layers"): st.sets(st.integers(0, 9999)).map(lambda s: tuple(sorted(s))),
    (SweepSettings, "weights"): st.tuples(st.floats(1e-9, 1e6), *[WEIGHTS] * 2)
    | st.tuples(st.floats(1e-9, 1e6), *[WEIGHTS] * 6),
    (SweepSettings, "forms"): FORMS_KEPT,
    (StudySettings, "forms"): FORMS_KEPT,
    (StressSettings, "probes"): st.lists(st.sampled_from(PROBES), unique=True).map(tuple),
    (StressSettings, "judge_url"): st.sampled_from(["", "http://127.0.0.1:8000/v1"]),
    (StressSettings, "judge_key_env"): st.sampled_from(["", "JUDGE_KEY"]),
    (RephraseSettings, "each"): st.integers(1, MOST_WORDINGS),
    (StudySettings, "methods"): st.lists(st.sampled_from(list(METHODS)), unique=True).map(tuple),
}


def values_of(kind: type[SettingsRecord], found: Setting) -> st.SearchStrategy[Any]:
    """Every value that a setting may have."""
    one: st.SearchStrategy[Any]
    if (kind, found.name) in OWN:
        return OWN[kind, found.name]
    if found.choices:
        one = st.sampled_from(found.choices)
    else:
        kinds = {bool: st.booleans(), int: st.integers(1), float: RATES, str: WORDS}
        one = kinds[found.kind]
    if found.many:
        return st.lists(one, unique=True).map(tuple)
    return one | st.none() if found.optional and found.default is None else one


@pytest.mark.parametrize(
    ("kind", "found"), EVERY, ids=[f"{kind.__name__}.{found.name}" for kind, found in EVERY]
)
@settings(deadline=None)
@given(data=st.data())
def test_a_value_that_was_written_is_read_as_the_same(
    kind: type[SettingsRecord], found: Setting, data: st.DataObject
) -> None:
    value = data.draw(values_of(kind, found))
    kept: Any = kind.from_dict({found.name: value})
    assert getattr(kept, found.name) == value
    if found.is_flag:
        assert kind.from_texts({found.name: value}) == kept
    else:
        assert found.parse(found.write(value)) == value
        assert kind.from_texts({found.name: found.write(value)}) == kept


def made(make: Callable[[], Made]) -> Made:
    """What is made inside an event loop: outside, gradio opens one for each page, and leaves it."""

    async def in_loop() -> Made:
        return make()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(in_loop())).result()


def in_blocks(make: Callable[[], Made]) -> Made:
    """What is made as a part of a page."""

    def make_inside() -> Made:
        with gr.Blocks():
            return make()

    return made(make_inside)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Library(tmp_path).create("test")
    store.settings.keep_summary(SUMMARY)
    return store


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    library = Library(tmp_path_factory.mktemp("page"))
    return made(lambda: build(library))


def test_every_setting_of_every_class_has_one_field_on_the_page(blocks: gr.Blocks) -> None:
    shown = Counter(
        (block.label, block.info)
        for block in blocks.blocks.values()
        if isinstance(block, gr.Textbox | gr.Checkbox | gr.Radio | gr.Dropdown)
    )
    wanted = Counter(
        (found.label, found.sentence)
        for kind, left in [*FORMS.items(), *((method.settings, ("text",)) for method in RIVALS)]
        for found in settings_of(kind)
        if found.name not in left
    )
    assert {told: shown[told] for told in wanted} == wanted


def fold_of(field: Any) -> gr.Accordion | None:
    """The accordion in which a field lies."""
    while field is not None and not isinstance(field, gr.Accordion):
        field = field.parent
    return field


def test_what_is_for_few_is_folded_away_and_a_choice_is_no_text() -> None:
    study = in_blocks(lambda: add_fields(StudySettings))
    choice = in_blocks(lambda: add_fields(ModelChoice))
    for found in study.settings:
        fold = fold_of(study.field(found.name))
        assert (fold is not None) == found.advanced
        assert fold is None or (fold.label, fold.open) == ("More settings", False)
    assert isinstance(study.field("recipe"), gr.Radio)
    assert choice.field("dtype").choices[0] == ("automatic", "")
    assert isinstance(choice.field("trust_remote_code"), gr.Checkbox)
    assert choice.field("trust_remote_code").value is False


SET: dict[type[SettingsRecord], SettingsRecord] = {
    EditSettings: EditSettings(at=("3.mlp",), learning_rate=1e-4, epochs=7, pipeline="depth-first"),
    SweepSettings: SweepSettings(
        layers=(0, 3, 4, 5), modules=("mlp",), batch_size=3, sample=9, budget=300.0, keep=0.5
    ),
    EvaluationSettings: EvaluationSettings(written=0, health=True, capability=("a", "b")),
    StudySettings: StudySettings(kind="scale", sizes=(3, 5), locft_at="6", seed=4),
    ScanSettings: ScanSettings(sample=5, seed=3),
    StressSettings: StressSettings(("choice", "belief"), 9, lasting_steps=0, judge_model="m"),
    ProbeSettings: ProbeSettings(True, "sentence", 7, 2, as_shipped=True),
    ModelChoice: ModelChoice("some/model", "cuda:1", "bfloat16", True, memory=2**29),
}


@pytest.mark.parametrize("kind", FORMS, ids=lambda kind: kind.__name__)
def test_what_is_shown_is_what_is_kept_and_what_was_never_drawn_changes_nothing(
    kind: type[Any],
) -> None:
    form = in_blocks(lambda: add_fields(kind, FORMS[kind]))
    for kept in (kind(), SET[kind]):
        shown = [told["value"] for told in form.drawn(kept)]
        assert form.read(shown, kept) == kept
        assert form.read([None] * len(shown), kept) == kept
        for place in range(len(shown)):
            one = [value if row == place else None for row, value in enumerate(shown)]
            assert form.read(one, kept) == kept
    # A field that somebody empties has its default again; what has no field stays.
    empty = [False if found.is_flag else "" for found in form.settings]
    left = {name: getattr(SET[kind], name) for name in FORMS[kind]}
    assert form.read(empty, SET[kind]) == replace(kind(), **left)


class Recorder:
    """Stands for the page while a form is built: what draws it, and what keeps it."""

    def __init__(self) -> None:
        self.draw: list[Any] = []
        self.keep: list[Any] = []

    def show(self, draw: Any, outputs: Any, of: Any, inputs: Any = ()) -> None:
        self.draw.append((draw, outputs))

    def action(self, event: Any, do: Any, inputs: Any = (), outputs: Any = ()) -> None:
        self.keep.append((do, inputs))


def built(add: Any) -> Recorder:
    page = Recorder()
    in_blocks(lambda: add(page))
    return page


def shown_at(page: Recorder, store: Store, label: str) -> dict[str, Any]:
    """What the field of this label shows."""
    for draw, outputs in page.draw:
        if not isinstance(outputs, list):
            continue
        drawn = draw(store)
        for field, told in zip(outputs, drawn if len(outputs) > 1 else [drawn], strict=True):
            if field.label == label:
                return dict(told)
    raise AssertionError(f"no field {label}")


def type_at(page: Recorder, store: Store, label: str, value: Any) -> None:
    """Leaves the field of this label with another value, which alone is sent."""
    for keep, inputs in page.keep:
        if [field.label for field in inputs] == [label]:
            keep(store, value)
            return
    raise AssertionError(f"no field {label}")


def test_of_two_fields_that_are_left_at_once_neither_is_lost(store: Store) -> None:
    """A slow machine answers two requests side by side, and the first one last."""
    begun = threading.Event()

    def slowly(settings: EditSettings) -> EditSettings:
        begun.set()
        time.sleep(0.2)
        return replace(settings, epochs=7)

    first = threading.Thread(target=store.settings.change, args=("edit", slowly))
    first.start()
    assert begun.wait(10)
    store.settings.change("edit", lambda kept: replace(kept, stop_loss=0.2))
    first.join()
    assert store.settings.edit == EditSettings(epochs=7, stop_loss=0.2)


def test_a_sweep_can_be_given_its_batch_size_and_shows_what_is_automatic(store: Store) -> None:
    page = built(add_sweep_fields)
    assert shown_at(page, store, "Modules")["placeholder"] == "mlp.down_proj"
    assert shown_at(page, store, "Learning rates")["placeholder"] == "0.005"
    assert shown_at(page, store, "Layers") == {
        "value": "",
        "placeholder": "all",
        "__type__": "update",
    }
    type_at(page, store, "Batch size", " 5 ")
    type_at(page, store, "Layers", "2, 4-6")
    assert sweep_settings(store) == SweepSettings(batch_size=5, layers=(2, 4, 5, 6))
    assert shown_at(page, store, "Batch size")["value"] == "5"
    with pytest.raises(SettingsError, match=r"^Sample is 'all'; write a whole number, or leave it"):
        type_at(page, store, "Sample", "all")
    assert sweep_settings(store).sample == 64


def test_the_weights_of_the_score_are_one_text(store: Store) -> None:
    page, label = built(add_sweep_fields), "Weights of the score"
    assert shown_at(page, store, label)["value"] == "1, 1, 1"
    type_at(page, store, label, "0,1,0.5")
    assert shown_at(page, store, label)["value"] == "0, 1, 0.5"
    assert sweep_weights(store) == ScoreWeights(0, 1, 0.5)
    for wrong, said in (
        ("1, 2", "holds 2 numbers; write three"),
        ("1, 2, x", "is '1, 2, x'; write three numbers"),
        ("1,,2", "is '1,,2'; write three numbers"),
        ("0, 0, 0", "All weights are 0"),
        ("1, 1, -1", "weight of locality"),
        ("1, 1, nan", "weight of locality"),
    ):
        with pytest.raises(SettingsError, match=said):
            type_at(page, store, label, wrong)
    assert sweep_weights(store) == ScoreWeights(0, 1, 0.5)
    type_at(page, store, label, "")
    assert sweep_weights(store) == ScoreWeights()


def choose(page: Recorder, store: Store, **asked: str) -> None:
    """Clicks a choice of the wishes, which stand above the fields."""
    (wish,) = (keep for keep, inputs in page.keep if not inputs)
    wish(store, gr.EventData(None, {"do": next(iter(asked)), **asked}))


def test_a_wish_for_a_sweep_in_words_is_a_setting(store: Store) -> None:
    page = built(add_sweep_fields)
    choose(page, store, budget="5min")
    choose(page, store, weights="must answer everywhere")
    assert sweep_settings(store).budget == 300
    assert sweep_weights(store) == PRESET_WEIGHTS["must answer everywhere"]
    assert shown_at(page, store, "Budget")["value"] == "5min"
    assert shown_at(page, store, "Learning rates")["placeholder"] == "0.005, 0.015, 0.0015"
    draw = next(
        draw for draw, place in page.draw if getattr(place, "elem_id", "") == "sweep-wishes"
    )
    pressed = re.findall(r'data-(?:budget|weights)="([^"]*)" aria-pressed="true"', draw(store))
    assert pressed == ["5min", "must answer everywhere"]
    type_at(page, store, "Budget", "90")
    type_at(page, store, "Weights of the score", "1, 2, 3, 4")
    assert 'aria-pressed="true">90 s<' in draw(store)
    choose(page, store, budget="")
    assert sweep_settings(store).budget is None


def test_a_sweep_trains_as_the_next_run_does(store: Store) -> None:
    store.settings.change("edit", lambda kept: replace(kept, forms=("question",), keep=0.5))
    found = sweep_settings(store)
    assert (found.forms, found.keep) == (("question",), 0.5)


def test_a_wrong_value_is_named_by_its_label_and_nothing_is_kept(store: Store) -> None:
    page = built(lambda page: add_edit_tab(page, gr.Tabs()))
    store.settings.set("edit", SET[EditSettings].as_dict())
    said = r"^Learning rate is 'abc'; write a number, or leave it empty\.$"
    with pytest.raises(SettingsError, match=said):
        type_at(page, store, "Learning rate", "abc")
    assert store.settings.edit == SET[EditSettings]
    type_at(page, store, "Learning rate", "")
    assert store.settings.edit == EditSettings.from_dict(
        {**SET[EditSettings].as_dict(), "learning_rate": None}
    )
    assert shown_at(page, store, "Learning rate")["placeholder"] == "0.005"
    assert shown_at(page, store, "Pipeline")["value"] == "depth-first"


def test_a_study_has_all_its_settings_and_keeps_which_one_it_is(store: Store) -> None:
    page = built(add_study_card)
    store.settings.set("study", StudySettings(kind="locations").as_dict())
    type_at(page, store, "Learning rates", "0.01, 0.02")
    type_at(page, store, "Where LocFT-BF tunes", "6.mlp")
    found = StudySettings.from_dict(store.settings.get("study"))
    wanted = StudySettings(kind="locations", learning_rates=(0.01, 0.02), locft_at="6.mlp")
    assert found == wanted
    assert shown_at(page, store, "Where the pipelines tune")["placeholder"] == "4.mlp.down_proj"
    assert shown_at(page, store, "Capability of the arms")["placeholder"] == "none"
