"""Evaluation: every measure by every protocol, on all facts or with a sample of answers."""

from dataclasses import replace

import pytest

from workbench.facts.fact import Fact, Question
from workbench.facts.read import read_facts
from workbench.measure.evaluate import evaluate
from workbench.measure.strict import forced_texts
from workbench.methods.edit import edit
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.model.tokens import TokenTable, tokenize
from workbench.paths import assets_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture(scope="module")
def samples() -> list[Fact]:
    return list(read_facts(assets_dir() / "samples" / "facts_200.csv").facts)


@pytest.fixture(scope="module")
def half_learned(builtin: LanguageModel, samples: list[Fact]) -> Patch:
    """Too few epochs, so that there is something right and something wrong of everything."""
    return edit(builtin, samples, epochs=6).patch


def test_strict_is_right_exactly_where_greedy_generation_gives_target_and_end(
    builtin: LanguageModel, samples: list[Fact], half_learned: Patch
) -> None:
    prompts = [fact.prompt for fact in samples]
    prompts += [prompt for fact in samples for prompt in fact.rephrase_prompts[:1]]
    targets = [fact.target_new for fact in samples]
    targets += [fact.target_new for fact in samples for _ in fact.rephrase_prompts[:1]]
    texts = tokenize(builtin.tokenizer, prompts, targets)
    with half_learned.applied(builtin):
        judged = forced_texts(builtin, TokenTable(texts, builtin.device))
        answers = generate(builtin, prompts, top_k=1)
    strict = [found.right for found in judged]
    assert strict == [a.tokens == t.target for a, t in zip(answers, texts, strict=True)]
    assert len(strict) >= 300 and 20 < sum(strict) < len(strict) - 20
    for found in judged:
        assert found.share == 1.0 or not found.right


def test_the_token_share_leaves_out_the_end_of_the_answer(builtin: LanguageModel) -> None:
    texts = tokenize(builtin.tokenizer, ["The capital of France is"] * 2, ["Paris", "Paris Paris"])
    once, twice = forced_texts(builtin, TokenTable(texts, builtin.device))
    assert once.right and once.share == 1.0
    words = len(texts[0].target) - 1
    assert not twice.right
    assert twice.share == pytest.approx(words / (len(texts[1].target) - 1))


def test_locality_stands_twice_as_unchanged_and_as_right(
    builtin: LanguageModel, samples: list[Fact], half_learned: Patch
) -> None:
    (known,) = generate(builtin, ["The capital of France is"], stop="sentence")
    fact = replace(
        samples[0],
        locality_prompts=(
            Question("The capital of France is", known.text),
            Question("The capital of France is", "Nowhere"),
            Question("The capital of France is"),
        ),
    )
    nothing = edit(builtin, [fact], skip_loss=1e9, epochs=1).patch
    report = evaluate(builtin, [fact], nothing)
    numbers = report.as_dict()["after"]
    for protocol in ("strict", "generated"):
        assert numbers[f"locality_{protocol}"] == 1.0
        assert numbers[f"locality_right_{protocol}"] == 0.5
    assert report.measured["after"]["locality_strict"].count == 3
    assert report.measured["before"]["locality_right_strict"].count == 2


def test_portability_is_measured_where_the_facts_bring_it(
    builtin: LanguageModel, samples: list[Fact]
) -> None:
    (known,) = generate(builtin, ["The capital of Italy is"], stop="sentence")
    asked = (Question("The capital of Italy is", "Atlantis", aliases=(known.text,)),)
    fact = replace(samples[0], portability_prompts=asked)
    before = evaluate(builtin, [fact]).as_dict()["before"]
    assert (before["portability_strict"], before["portability_generated"]) == (0.0, 1.0)


def test_answers_can_be_written_for_a_sample_and_the_result_says_so(
    builtin: LanguageModel, samples: list[Fact], half_learned: Patch
) -> None:
    whole = evaluate(builtin, samples[:12], half_learned, forms=("raw",))
    some = evaluate(builtin, samples[:12], half_learned, written=4, seed=4, forms=("raw",))
    none = evaluate(builtin, samples[:12], half_learned, written=0, forms=("raw",))
    assert some.after is not None and whole.after is not None
    assert some.after.reliability_strict == whole.after.reliability_strict
    assert len(some.after.reliability_generated) == 4
    assert "on 4 of them, drawn with seed 4" in some.sentence
    assert some.as_dict()["counts"]["generated_facts"] == 4
    again = evaluate(builtin, samples[:12], half_learned, written=4, seed=4, forms=("raw",))
    assert some.as_dict() == again.as_dict()
    after = none.as_dict()["after"]
    assert after["reliability_generated"] is None and after["locality_strict"] is None
    assert after["locality_right_strict"] is not None
    assert "no answers were written" in none.sentence


def test_kept_hidden_states_change_no_verdict(
    builtin: LanguageModel, samples: list[Fact], half_learned: Patch
) -> None:
    kept = evaluate(builtin, samples[:10], half_learned)
    builtin.fallback = "for this test"
    try:
        plain = evaluate(builtin, samples[:10], half_learned)
    finally:
        builtin.fallback = ""
    assert kept.rows == plain.rows


def test_progress_ends_at_its_total_and_can_end_the_evaluation(
    builtin: LanguageModel, samples: list[Fact], half_learned: Patch
) -> None:
    seen: list[tuple[int, int]] = []
    evaluate(builtin, samples[:10], half_learned, on_progress=lambda d, t: seen.append((d, t)))
    assert seen[-1][0] == seen[-1][1] and len({total for _, total in seen}) == 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        evaluate(builtin, samples[:10], half_learned, on_progress=stop)
    assert evaluate(builtin, samples[:1]).before.reliability_strict in ((True,), (False,))


def test_questions_that_the_model_cannot_read_are_left_out_and_counted(
    builtin: LanguageModel, samples: list[Fact]
) -> None:
    long = "word " * (builtin.longest or 0)
    fact = replace(samples[0], rephrase_prompts=(long, "The capital of Australia is"))
    report = evaluate(builtin, [fact]).as_dict()
    assert (report["counts"]["left_out"], report["counts"]["rephrase_prompts"]) == (1, 1)


def test_an_edit_tells_in_which_epoch_a_fact_was_last_wrong(
    builtin: LanguageModel, samples: list[Fact]
) -> None:
    from workbench.methods.locft_bf import LocftRun
    from workbench.methods.locft_settings import EditSettings

    known = Fact("The capital of France is", "Paris")
    run = LocftRun(builtin, [*samples[:15], known], EditSettings(epochs=40))
    epochs = sum(type(event).__name__ == "EpochDone" for event in run.events())
    last = run.learned_in()
    assert last is not None and last[-1] <= min(last[:-1])
    assert 0 < max(last) < epochs
    depth = LocftRun(builtin, samples[:2], EditSettings(pipeline="depth-first", epochs=2))
    assert depth.learned_in() is None
