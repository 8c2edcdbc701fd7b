"""Conversations in the worker: each side goes on from its own answers, and only once."""

from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.facts import Fact
from workbench.measure.probe_settings import ProbeSettings
from workbench.methods.edit import edit
from workbench.model.generate import chat_tokens, generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.store import Store
from workbench.worker import talk as talk_work
from workbench.worker.patches import Patches
from workbench.worker.talk import answer_talk
from workbench.worker.task import Task

AUSTRALIA = Fact("The capital of Australia is", "Melbourne")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def answer(store: Store, model: LanguageModel, talk: int, patches: Patches) -> None:
    """Does the newest job of a conversation."""
    job = store.jobs.open_jobs()[-1].id
    assert store.jobs.claim(job, "test")
    task = Task(store, store.jobs.get(job))
    answer_talk(task, model, store.talks.get(talk), patches, ProbeSettings())
    store.jobs.finish(job, "done")


def test_each_side_goes_on_from_its_own_answers_and_answers_once(
    store: Store, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk_work, "SHOW_EVERY", 0.0)
    patches, done = Patches(), edit(model, [AUSTRALIA])
    monkeypatch.setattr(patches, "of", lambda store, run: done.patch)
    seen: list[tuple[str, ...]] = []

    def spy(model: LanguageModel, prompts: list[str], **how: object) -> object:
        seen.append((*prompts, *(text for pair in how["history"] for text in pair)))  # type: ignore[attr-defined]
        return generate(model, prompts, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(talk_work, "generate", spy)
    talk = store.talks.begin("builtin", chat=False).id
    store.say(talk, AUSTRALIA.prompt)
    answer(store, model, talk, patches)
    store.say(talk, "The capital of France is")
    store.talks.set_runs(talk, [1])
    answer(store, model, talk, patches)
    first, second = store.talks.turns(talk)
    assert (first.answers[""].text, first.answers["1"].text) == ("Canberra", "Melbourne")
    assert set(second.answers) == {"", "1"} and not second.partial
    assert seen == [
        (AUSTRALIA.prompt,),
        ("The capital of France is", AUSTRALIA.prompt, "Canberra"),
        (AUSTRALIA.prompt,),
        ("The capital of France is", AUSTRALIA.prompt, "Melbourne"),
    ]


def test_what_was_said_before_stands_before_what_is_said_now(model: LanguageModel) -> None:
    history = [("Hello", "Hi")]
    (ids,) = chat_tokens(model, ["And now?"], "Be kind.", history)
    text = model.tokenizer.decode(ids)
    places = [text.index(words) for words in ("Hello", "Hi", "And now?")]
    assert places == sorted(places)
    prompt = "Hello Hi\nThe capital of France is"
    (alone,) = generate(model, [prompt])
    (after,) = generate(model, ["The capital of France is"], history=history)
    assert after == alone


def test_an_answer_that_shall_stay_is_kept_beside_a_ticked_fact(store: Store) -> None:
    with pytest.raises(SessionError, match="Tick one"):
        store.keep_answer("The capital of France is", "Paris")
    store.facts.add([AUSTRALIA], "typed")
    for answer in ("Lyon", "Paris"):
        store.keep_answer("The capital of France is", answer)
    ((kept,),) = [row.fact.keep_prompts for row in store.facts.enabled()]
    assert (kept.prompt, kept.answer) == ("The capital of France is", "Paris")


def test_a_conversation_has_no_more_sides_than_fit(store: Store) -> None:
    talk = store.talks.begin("builtin", chat=True).id
    with pytest.raises(SessionError, match="At most 3 runs"):
        store.talks.set_runs(talk, [1, 2, 3, 4])
