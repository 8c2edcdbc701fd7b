"""The loop that people write today, to compare the engine with.

Full forward over padded batches, logits at every position, nothing kept; only the tuned matrix
takes gradients. The facts, the order, the optimizer and the stop rules are the engine's, so that
both do the same updates.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from workbench.facts.fact import Fact
from workbench.methods.locft_settings import ResolvedEditSettings
from workbench.methods.schedule import Schedule
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.tokens import tokenize

__all__ = ["plain_run"]


def plain_run(
    model: LanguageModel, facts: Sequence[Fact], settings: ResolvedEditSettings
) -> list[float]:
    """Runs LocFT-BF the plain way and puts the base back.

    Args:
        model: its weights are trained in place, in their own dtype.
        facts: what is learned.
        settings: resolved settings.

    Returns:
        The mean loss of every batch.
    """
    weights = list(model.weights_at(parse_locations(settings.at)).values())
    base = [weight.detach().clone() for weight in weights]
    for weight in weights:
        weight.requires_grad_(True)
    optimizer = torch.optim.Adam(weights, lr=settings.learning_rate or 0.0)
    schedule = Schedule.of(settings, len(facts))
    losses = []
    for epoch in range(schedule.epochs):
        for cursor in range(schedule.batches_per_epoch):
            batch = [facts[row] for row in schedule.rows(epoch, cursor)]
            loss = _loss(model, batch)
            losses.append(loss.item())
            optimizer.zero_grad()
            if losses[-1] >= settings.skip_loss:
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    for weight, old in zip(weights, base, strict=True):
        weight.requires_grad_(False)
        weight.grad = None
        weight.data.copy_(old)
    return losses


def _loss(model: LanguageModel, facts: Sequence[Fact]) -> torch.Tensor:
    prompts, targets = [fact.prompt for fact in facts], [fact.target_new for fact in facts]
    texts = tokenize(model.tokenizer, prompts, targets)
    longest = max(len(text.prompt) + len(text.target) for text in texts)
    input_ids = torch.zeros(len(texts), longest, dtype=torch.long)
    labels = torch.full_like(input_ids, -100)
    mask = torch.zeros_like(input_ids)
    for row, text in enumerate(texts):
        whole = torch.tensor(text.prompt + text.target)
        input_ids[row, : len(whole)] = whole
        labels[row, len(text.prompt) : len(whole)] = whole[len(text.prompt) :]
        mask[row, : len(whole)] = 1
    labels = labels.to(model.device)
    logits = model.network(
        input_ids=input_ids.to(model.device), attention_mask=mask.to(model.device), use_cache=False
    ).logits[:, :-1]
    per_token = functional.cross_entropy(
        logits.float().transpose(1, 2), labels[:, 1:], ignore_index=-100, reduction="none"
    )
    counts = (labels[:, 1:] != -100).sum(dim=1)
    return (per_token.sum(dim=1) / counts).mean()
