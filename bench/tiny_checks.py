"""What a tiny model is put through, so that an architecture may be called verified.

Every check compares with what plain code gives; what differs is an error of our own.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from workbench.facts.fact import Fact
from workbench.methods.edit import edit
from workbench.methods.loss import text_losses
from workbench.model.bypass import capture
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.patch import Patch
from workbench.model.states import advance, run, starting_at, target_logits
from workbench.model.tokens import TokenTable, prompt_tokens, tokenize_facts
from workbench.search.scan import scan

__all__ = ["check_everything"]

FACTS = [
    Fact("The capital of Peru is", "Rome"),
    Fact("Chad's capital:", "Oslo"),
    Fact("In Fiji one pays with", "yen"),
]
PROMPTS = ["Who was", "The capital of Peru is", "A rather longer prompt than the others,"]


def check_everything(model: LanguageModel, folder: Path) -> tuple[str, str]:
    """Kept states, a run, its patch on and off, a scan, answers, export and reload.

    Args:
        model: tiny, in float32, on the CPU.
        folder: an empty place for an export.

    Returns:
        What layers there are, and what the model cannot do as fast as others, in words.

    Raises:
        AssertionError: something differs from what plain code gives.
        WorkbenchError: as people see it.
    """
    before = {name: weight.clone() for name, weight in model.network.named_parameters()}
    table = TokenTable(tokenize_facts(model.tokenizer, FACTS, model.longest), model.device)
    if model.states_kept:
        _check_states(model, table)
    places = model.layers.places()
    _check_answers(model)
    at = [model.preset.at]
    stacks = [info for info in model.locations() if info.experts]
    if stacks:
        at.append((str(model.layers.experts_in(stacks[-1])[-1].location),))
    for number, where in enumerate(at):
        patch = edit(model, FACTS, at=where, learning_rate=1e-2, epochs=2).patch
        _check_patch(model, patch, where, before, folder / f"export-{number}")
    found = scan(model, FACTS, sample=2)
    assert sum(row.gradient for row in found.rows) > 0, "a scan without gradients"
    assert _same(model.network.named_parameters(), before), "a weight of the base has changed"
    words = [text for text in (model.fallback, model.answering.fallback) if text]
    return _layers(places, len(model.layers)), "; ".join(words)


def _check_states(model: LanguageModel, table: TokenTable) -> None:
    """Loss and gradient of a forward that starts at a layer are those of the whole forward.

    To the bit from the states of the same batch. From kept ones up to rounding: what stands behind
    a shorter text differs, and experts round by how many tokens reach them.
    """
    rows = list(range(len(table)))
    batch = table.batch(rows)
    for layer in range(1, len(model.layers)):
        above = [info for info in model.locations() if info.location.layer >= layer]
        if not above:
            continue
        weight = model.parameter_of(next(iter(model.weights_at((above[-1].location,)))))

        def results(states: torch.Tensor | None, start: int) -> list[torch.Tensor]:
            weight.requires_grad_(True)  # noqa: B023
            with starting_at(model, start if states is not None else 0) as feed:
                feed.states = states
                loss = text_losses(target_logits(model, batch), batch).mean()
            found = [loss]
            if loss.requires_grad:
                found += torch.autograd.grad(loss, weight, allow_unused=True)  # noqa: B023
            weight.requires_grad_(False)  # noqa: B023
            return [value.detach() for value in found if value is not None]

        with torch.no_grad():
            states = capture(model.layers, layer, lambda: run(model, batch.input_ids))
        plain, same = results(None, 0), results(states, layer)
        kept = results(advance(model, table, None, layer).padded(rows, model.device), layer)
        assert len(plain) == len(same) == len(kept), f"no gradient from layer {layer}"
        for name, one, two, three in zip(("loss", "gradient"), plain, same, kept, strict=False):
            assert torch.equal(one, two), f"the {name} from layer {layer} differs"
            off = float((one - three).abs().max())
            assert off <= 1e-5 * float(one.abs().max()) + 1e-9, f"the {name} from kept {layer}"


def _check_answers(model: LanguageModel) -> None:
    """Answers are those of one plain pass for each token."""
    answers = generate(model, PROMPTS, max_new_tokens=4)
    for answer, ids in zip(answers, prompt_tokens(model.tokenizer, PROMPTS), strict=True):
        text = list(ids)
        for token in answer.tokens:
            with torch.no_grad():
                logits = run(model, torch.tensor([text]))[0, -1].float()
            # Of two tokens that are as good as equal either may be said.
            assert logits[token] >= logits.max() - 1e-4 * logits.abs().max(), "another answer"
            text.append(token)


def _check_patch(
    model: LanguageModel,
    patch: Patch,
    at: tuple[str, ...],
    before: Mapping[str, torch.Tensor],
    folder: Path,
) -> None:
    """A patch changes what it names alone, and its export is what plain transformers loads."""
    ids = torch.tensor([prompt_tokens(model.tokenizer, PROMPTS)[2]])
    named = model.weights_at(parse_locations(at))
    assert patch.tensors.keys() == named.keys(), "a patch holds other tensors than its places"
    holders = {id(model.parameter_of(name)) for name in named}
    with patch.applied(model), torch.no_grad():
        others = [(n, w) for n, w in model.network.named_parameters() if id(w) not in holders]
        assert _same(others, before), "a weight that was not chosen has changed"
        expected = run(model, ids)
    patch.export(model, folder)
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        again = plain(input_ids=ids, use_cache=False).logits
    assert torch.allclose(again, expected, atol=1e-4), "an export that answers otherwise"


def _same(weights: object, before: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(weight, before[name]) for name, weight in weights)  # type: ignore


def _layers(places: Mapping[str, tuple[int, ...]], total: int) -> str:
    """What is not in every layer, in words."""
    some = [f"{name} in {len(layers)}" for name, layers in places.items() if len(layers) < total]
    return f"{total} layers" + (f"; {', '.join(some)}" if some else "")
