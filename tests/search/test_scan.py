"""A scan: true gradients from small sketches, one gradient at a time, and an untouched model."""

from collections.abc import Callable

import pytest
import torch

from workbench.facts.fact import Fact
from workbench.methods.loss import text_losses
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel
from workbench.model.states import target_logits
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.search import scan as scan_module
from workbench.search.scan import scan
from workbench.search.sketch import BUCKETS, Sketcher


def true_gradients(model: LanguageModel, facts: list[Fact]) -> dict[str, torch.Tensor]:
    """Gradients of the mean edit loss as anyone would take them: all at once."""
    texts = tokenize_facts(model.tokenizer, facts, model.longest)
    batch = TokenTable(texts, model.device).batch(range(len(texts)))
    model.network.requires_grad_(True)
    text_losses(target_logits(model, batch), batch).mean().backward()  # type: ignore[no-untyped-call]
    found = {name: p.grad for name, p in model.network.named_parameters() if p.grad is not None}
    model.network.requires_grad_(False)
    model.network.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("name", ["Llama", "GPT-2", "Qwen3-MoE", "Mixtral", "DBRX", "DeepSeek-V3"])
def test_every_matrix_has_the_norm_of_its_true_gradient(
    make_model: Callable[..., LanguageModel], facts: list[Fact], name: str
) -> None:
    model = make_model(name)
    rows = scan(model, facts).rows
    places = [info for info in model.locations() if info.is_place]
    assert len(rows) == len(places) + sum(info.experts for info in places)
    expected = true_gradients(model, facts)
    for row in rows:
        (weight,) = model.layers.weights_at(model.locations()[0].location.parse(row.at))
        gradient = model.part(weight, expected[split_part(weight)[0]]).norm().item()
        base = model.tensor(weight).norm().item()
        # These matrices are smaller than a sketch, which is then exact.
        assert row.gradient == pytest.approx(gradient, rel=1e-3, abs=1e-6)
        assert row.relative == pytest.approx(gradient / base, rel=1e-3, abs=1e-6)
        assert 0.0 <= row.overlap <= 1.0


def test_single_experts_stand_beside_all_of_them_together(
    make_model: Callable[..., LanguageModel], facts: list[Fact]
) -> None:
    found = scan(make_model("Qwen3-MoE"), facts)
    whole = next(row for row in found.places if row.at == "2.mlp.experts.down_proj")
    parts = [row for row in found.rows if row.whole == whole.at]
    assert [row.at for row in parts] == [f"2.mlp.experts.{n}.down_proj" for n in range(4)]
    assert sum(row.gradient**2 for row in parts) == pytest.approx(whole.gradient**2, rel=1e-3)
    assert sum(row.weights for row in parts) == whole.weights


def test_micro_batches_add_up_to_the_same_gradients(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scan(model, facts).rows
    monkeypatch.setattr(scan_module, "TOKENS_PER_PASS", 1)
    for row, in_parts in zip(whole, scan(model, facts).rows, strict=True):
        assert in_parts.gradient == pytest.approx(row.gradient, rel=1e-3)
        assert in_parts.overlap == pytest.approx(row.overlap, abs=1e-3)


def test_afterwards_the_model_is_untouched_and_frozen(
    model: LanguageModel, facts: list[Fact]
) -> None:
    before = {name: p.detach().clone() for name, p in model.network.named_parameters()}
    scan(model, facts)
    for name, parameter in model.network.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None and not parameter.requires_grad
        assert not parameter._post_accumulate_grad_hooks


def test_a_scan_that_is_broken_off_leaves_no_trace(model: LanguageModel, facts: list[Fact]) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(model, facts, on_progress=stop)
    assert not any(p.requires_grad or p.grad is not None for p in model.network.parameters())


def test_never_more_than_one_gradient_is_held(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    reduce = Sketcher.__call__

    def watch(self: Sketcher, tensor: torch.Tensor) -> torch.Tensor:
        nonlocal most
        held = [p for p in model.network.parameters() if p.grad is not None]
        most = max(most, len(held))
        return reduce(self, tensor)

    monkeypatch.setattr(Sketcher, "__call__", watch)
    scan(model, facts)
    assert most == 1


def test_the_overlap_is_one_where_the_edit_moves_the_same_prompt(
    model: LanguageModel, facts: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = facts[0]
    monkeypatch.setattr(scan_module, "choose_neutral", lambda others, trained: ([fact.prompt], 1))
    monkeypatch.setattr(
        scan_module, "text_losses", lambda logits, batch: -logits[:1].log_softmax(dim=-1)[:, 7]
    )
    monkeypatch.setattr(torch, "multinomial", lambda *_, **__: torch.tensor([7]))
    assert [row.overlap for row in scan(model, [fact]).rows] == pytest.approx([1.0] * 28, abs=1e-3)


def test_a_sketch_keeps_norms_and_angles_of_large_tensors() -> None:
    generator = torch.Generator().manual_seed(3)
    left = torch.randn(900, 1, generator=generator)
    first = left @ torch.randn(1, 1100, generator=generator)  # one row like the other, as gradients
    second = 0.3 * first + torch.randn(900, 1100, generator=generator)
    sketcher = Sketcher(torch.device("cpu"))
    small, other = sketcher(first), sketcher(second)
    assert small.shape == (BUCKETS,)
    assert small.norm().item() == pytest.approx(first.norm().item(), rel=0.02)
    product = first.norm().item() * second.norm().item()
    assert (small @ other).item() == pytest.approx(
        (first * second).sum().item(), abs=0.03 * product
    )
    assert torch.allclose(sketcher(first + second), small + other, atol=1e-3)
