"""Stress: what a table says of an edit, who judges, and that the base is left as it was."""

import copy
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch

import workbench
from tests.methods.test_forms import NO_SYSTEM, TURNS
from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact, Question
from workbench.facts.read import read_facts
from workbench.measure.stress_result import Stress
from workbench.measure.stress_rows import ROWS
from workbench.measure.stress_settings import StressSettings
from workbench.methods.edit import edit
from workbench.model.forms import SYSTEM
from workbench.model.generate import chat_tokens
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import Patch
from workbench.paths import assets_dir
from workbench.search import unrelated
from workbench.search.stress import stressing
from workbench.search.unrelated import fine_tuning, unrelated_lines
from workbench.work.events import Progress, follow
from workbench.work.records import from_data
from workbench.work.stop import Cancelled, Stop

SHORT = StressSettings(max_new_tokens=6, lasting_steps=2, facts=3)
FREE = StressSettings(max_new_tokens=6, lasting_steps=0, facts=3, probes=("judged",))


class Says:
    """A judge that says the same to everything, and remembers what it was asked."""

    name, url = "a judge", ""

    def __init__(self, verdict: bool | None, error: str = "") -> None:
        self.verdict, self.error = verdict, error
        self.cases: list[tuple[str, str, str]] = []

    def judging(
        self, cases: Sequence[tuple[str, str, str]], stop: Stop
    ) -> Generator[int, None, list[bool | None]]:
        self.cases += cases
        yield 1
        if self.error:
            raise ModelError(self.error)
        return [self.verdict] * len(cases)


@pytest.fixture(scope="module")
def builtin() -> LanguageModel:
    return load_model("builtin", device="cpu")


@pytest.fixture(scope="module")
def known() -> list[Fact]:
    return list(read_facts(assets_dir() / "samples" / "facts_20.csv").facts)[:5]


@pytest.fixture(scope="module")
def patch(builtin: LanguageModel, known: list[Fact]) -> Patch:
    return edit(builtin, known, epochs=60, recipe="published").patch


@pytest.fixture(autouse=True)
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of eight lines, so that no test reads more."""
    monkeypatch.setattr(unrelated, "MOST", 8)


@contextmanager
def unchanged(model: LanguageModel) -> Iterator[None]:
    """Afterwards the model is its base to the bit, frozen, and no hook is left."""
    before = {name: value.clone() for name, value in model.network.named_parameters()}
    yield
    for name, value in model.network.named_parameters():
        assert torch.equal(value, before[name]), name
        assert not value.requires_grad and value.grad is None
    assert not model.network._forward_pre_hooks


@pytest.mark.slow
def test_a_table_shows_what_holds_before_after_and_later(
    builtin: LanguageModel, known: list[Fact], patch: Patch
) -> None:
    seen: list[Progress] = []
    with unchanged(builtin):
        found = workbench.stress(
            builtin,
            known,
            patch,
            SHORT,
            on_event=lambda event: seen.append(event) if isinstance(event, Progress) else None,
        )
    assert [row.name for row in found.rows] == list(ROWS)
    assert found.sides == ("before", "after", "later")
    plain, framed = found.row("plain"), found.row("framed")
    assert (plain.count, plain.before, plain.after, plain.later) == (3, 0.0, 1.0, 1.0)
    assert framed.after is not None and framed.after >= 2 / 3
    assert found.row("stops").count == 6
    assert (found.row("two_hops").count, found.row("two_hops").after) == (0, None)
    assert found.row("choice").count == 3 and found.row("rather_new").before is not None
    assert found.fine_tuned is not None
    assert found.fine_tuned.at == ("6.mlp.down_proj",) and found.fine_tuned.steps == 2
    assert found.fine_tuned.after < found.fine_tuned.before
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert from_data(Stress, json.loads(json.dumps(found.as_dict()))) == found


@pytest.mark.slow
def test_a_judge_is_asked_once_a_case_and_only_where_containment_says_no(
    builtin: LanguageModel, known: list[Fact], patch: Patch
) -> None:
    judge = Says(True)
    found = follow(stressing(builtin, known, patch, FREE, judge=judge))
    by = {(row.row, row.fact): row for row in found.answers}
    assert all(row.after is not None and row.after.by == "containment" for row in by.values())
    assert all(row.before is not None and row.before.by == "judge" for row in by.values())
    assert found.row("plain").before == 1.0
    assert len(judge.cases) == len(set(judge.cases)) <= 6
    assert not any(right in said for _, right, said in judge.cases)
    assert found.judge is not None
    assert (found.judge.asked, found.judge.accepted) == (len(judge.cases),) * 2
    assert "{said}" in found.judge.prompt


@pytest.mark.slow
def test_a_judge_that_cannot_be_asked_costs_nothing_but_its_verdicts(
    builtin: LanguageModel, known: list[Fact]
) -> None:
    judge = Says(True, error="The judge is gone.")
    found = follow(stressing(builtin, known, None, FREE, judge=judge))
    assert (found.sides, found.row("plain").before) == (("before",), 0.0)
    assert found.judge is not None and found.judge.problem == "The judge is gone."
    assert "The judge is gone. The table stands by containment alone." in found.sentences
    unclear = follow(stressing(builtin, known, None, FREE, judge=Says(None)))
    assert unclear.row("plain").before == 0.0
    assert unclear.judge is not None and unclear.judge.unclear == unclear.judge.asked > 0


@pytest.mark.slow
def test_the_model_may_judge_itself_without_the_edit_and_two_hops_are_portability_prompts(
    builtin: LanguageModel, known: list[Fact]
) -> None:
    asked = [Question("What is the capital of France?", "Paris"), Question("Of nobody?")]
    fact = Fact("The capital of Peru is", "Rome", portability_prompts=tuple(asked))
    found = workbench.stress(
        builtin, [fact], probes=("judged", "two_hops"), judge_model="builtin", max_new_tokens=6
    )
    two = found.row("two_hops")
    assert (two.count, two.before, two.after) == (1, 1.0, None)
    assert found.judge is not None and (found.judge.model, found.judge.asked) == ("builtin", 1)
    assert {row.name for row in found.rows} == {"plain", "framed", "system", "stops", "two_hops"}


def test_a_chat_is_asked_behind_a_system_prompt_too_where_the_template_takes_one(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def watch(model: LanguageModel, prompts: Sequence[str], system: str = "", *more: Any) -> object:
        asked.append(system)
        return chat_tokens(model, prompts, system, *more)

    monkeypatch.setattr("workbench.model.generate.chat_tokens", watch)
    model.tokenizer = copy.deepcopy(model.tokenizer)
    for template, count in ((TURNS, 2), (NO_SYSTEM + TURNS, 0)):
        model.tokenizer.chat_template = template
        brief = replace(FREE, facts=2, max_new_tokens=1)
        found = follow(stressing(model, facts[:2], None, brief))
        assert (found.row("framed").count, found.row("system").count) == (2, count)
    assert asked == ["", SYSTEM, ""]


@pytest.mark.slow
def test_a_stress_ends_at_the_next_pass_wherever_it_is_and_leaves_the_base(
    builtin: LanguageModel, known: list[Fact], patch: Patch
) -> None:
    brief = replace(SHORT, facts=1, max_new_tokens=2, probes=("judged", "choice"))
    passes, last, stop = 0, 0, Stop()

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1
        if passes == last:
            stop.ask()

    hook = builtin.network.register_forward_hook(count)
    try:
        follow(stressing(builtin, known, patch, brief))
        assert passes > 12
        for last in (1, *range(4, passes - 1, 3), passes - 1):
            passes, stop = 0, Stop()
            with unchanged(builtin), pytest.raises(Cancelled):
                follow(stressing(builtin, known, patch, brief, stop=stop))
            assert passes == last
    finally:
        hook.remove()


@pytest.mark.parametrize(
    ("kind", "at", "dtype"),
    [
        ("Llama", "2.mlp.down_proj", torch.bfloat16),
        ("Mixtral", "1.mlp.experts.2", torch.float32),
        ("GPT-2", "0", torch.float32),
    ],
)
def test_unrelated_fine_tuning_goes_on_from_the_patch_and_nowhere_else(
    kind: str,
    at: str,
    dtype: torch.dtype,
    make_model: Callable[..., LanguageModel],
    facts: list[Fact],
) -> None:
    model = make_model(kind, dtype)
    patch = edit(model, facts[:2], at=at, epochs=2, learning_rate=1e-2, recipe="published").patch
    with unchanged(model):
        none = StressSettings(lasting_steps=0)
        weights, done = follow(fine_tuning(model, patch, facts, none, Stop()))
        for name, tensor in patch.tensors.items():
            assert torch.equal(weights.seen[name], tensor)
        assert done.before == done.after
        few = StressSettings(lasting_steps=3, lasting_rate=1e-2)
        weights, done = follow(fine_tuning(model, patch, facts, few, Stop()))
    assert weights.seen.keys() == patch.tensors.keys()
    assert not all(torch.equal(weights.seen[n], t) for n, t in patch.tensors.items())
    assert done.after < done.before and done.at == (at,)


def test_the_unrelated_text_speaks_of_no_fact(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    lines, _ = unrelated_lines(model, [])
    subject = lines[0].split()[2]
    less, _ = unrelated_lines(model, [Fact("It is", "unheard of", subject)])
    assert less and lines[0] not in less and set(less) < set(lines)


def test_without_facts_nothing_is_asked(model: LanguageModel) -> None:
    with pytest.raises(FactsError, match="no facts"):
        workbench.stress(model, [])
