"""Fine-tuning on text that has nothing to do with the facts, from an edited model on.

Plain fine-tuning, in the places that the patch changes: the very weights that hold the facts move
on, and whoever could make the edit can afford this too. All tokens of a line count. Invariant:
between two steps, and after, the model is its untouched base; what was found is swapped in by
`TunedWeights.applied`.
"""

import random
from collections.abc import Generator, Iterator, Sequence

import torch
from torch.nn import functional

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.measure.stress_result import FineTuned
from workbench.measure.stress_settings import StressSettings
from workbench.methods.tuned import TunedWeights
from workbench.model.language_model import LanguageModel
from workbench.model.location import parse_locations
from workbench.model.memory import in_batches
from workbench.model.passes import Advanced
from workbench.model.patch import Patch
from workbench.model.states import HiddenStates, advancing, kept_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens
from workbench.paths import assets_dir
from workbench.work.events import mapped
from workbench.work.stop import Stop

__all__ = ["BATCH", "fine_tuning", "unrelated_lines"]

BATCH = 4  # lines a step
AT_ONCE = 16  # lines whose loss is read at once
MOST = 200  # lines of a text that are taken
TEXTS = {
    "builtin": "sentences of the built-in model's kind",
    "english": "a small English text",
}


def unrelated_lines(model: LanguageModel, facts: Sequence[Fact]) -> tuple[list[str], str]:
    """Lines of a text that ships with the workbench, and what people call it.

    Lines that name a subject or an answer of the facts are left out.
    """
    kind = "builtin" if model.name == "builtin" else "english"
    content = (assets_dir() / "health" / f"{kind}.txt").read_text(encoding="utf-8")
    names = {text.lower() for fact in facts for text in (fact.subject, *fact.accepted)}
    named = [name for name in names if len(name) > 2]
    lines = [line for line in content.splitlines() if line.strip()]
    kept = [line for line in lines if not any(name in line.lower() for name in named)]
    return (kept or lines)[:MOST], TEXTS[kind]


def fine_tuning(
    model: LanguageModel,
    patch: Patch,
    facts: Sequence[Fact],
    settings: StressSettings,
    stop: Stop,
) -> Generator[int, None, tuple[TunedWeights, FineTuned]]:
    """Goes on from an edited model; yields after each step how many are done.

    Args:
        model: the patch's base.
        patch: where it begins, and which places it changes.
        facts: of the patch, which the text must not speak of.
        settings: how many steps, at which rate; the seed orders the lines.
        stop: the wish to end it, asked before every step.

    Returns:
        The weights, and what was done.

    Raises:
        Cancelled: somebody wanted it to end.
        ModelError: the tokenizer makes nothing of the text.
    """
    lines, text = unrelated_lines(model, facts)
    table = _table(model, lines)
    locations = parse_locations(patch.metadata["at"])
    tuned = TunedWeights(model, locations, settings.lasting_rate)
    begin_at(tuned, patch)
    states = yield from _kept(model, table, locations[0].layer, stop)
    reader = _Reader(model, table, states)
    with tuned.applied():
        before = reader.mean_loss(stop)
    rows = _rows(len(table), settings.seed)
    for step in range(settings.lasting_steps):
        stop.check()
        with tuned.training():
            loss = reader.loss([next(rows) for _ in range(min(BATCH, len(table)))])
            # No token may have reached the one expert that is tuned.
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
                tuned.collect_gradients()
                tuned.step()
        yield step + 1
    with tuned.applied():
        after = reader.mean_loss(stop)
    done = FineTuned(
        steps=settings.lasting_steps,
        at=tuple(map(str, locations)),
        learning_rate=settings.lasting_rate,
        batch_size=min(BATCH, len(table)),
        texts=len(table),
        text=text,
        before=before,
        after=after,
    )
    return tuned, done


@torch.no_grad()
def begin_at(tuned: TunedWeights, patch: Patch) -> None:
    """Sets weights under tuning to those of a patch of the same places."""
    for name, tensor in patch.tensors.items():
        tuned.master[name].copy_(tensor)
        if tuned.seen[name] is not tuned.master[name]:
            tuned.seen[name].copy_(tensor)


def _table(model: LanguageModel, lines: Sequence[str]) -> TokenTable:
    """The lines as texts of which everything but the first token is predicted."""
    longest = model.longest or 1 << 20
    read = [ids[:longest] for ids in prompt_tokens(model.tokenizer, lines)]
    texts = [TokenizedText(ids[:1], ids[1:]) for ids in read if len(ids) > 1]
    if not texts:
        raise ModelError("This model's tokenizer makes nothing of the text to fine-tune on.")
    return TokenTable(texts, model.device)


def _kept(
    model: LanguageModel, table: TokenTable, layer: int, stop: Stop
) -> Generator[int, None, HiddenStates | None]:
    """What enters the lowest tuned layer, below which the model stays the base."""
    if not layer or not model.states_kept:
        return None

    def tell(_: Advanced) -> int:
        stop.check()
        return 0

    return (yield from mapped(advancing(model, table, None, layer), tell))


def _rows(lines: int, seed: int) -> Iterator[int]:
    """The lines in a new order again and again."""
    chance = random.Random(f"unrelated {seed}")
    while True:
        yield from chance.sample(range(lines), lines)


class _Reader:
    """The loss per token of some lines, from what enters the lowest tuned layer."""

    def __init__(
        self, model: LanguageModel, table: TokenTable, states: HiddenStates | None
    ) -> None:
        self._model, self._table, self._states = model, table, states

    def loss(self, rows: Sequence[int], reduction: str = "mean") -> torch.Tensor:
        batch = self._table.batch(rows)
        logits = kept_logits(self._model, batch, rows, self._states)
        return functional.cross_entropy(logits, batch.targets, reduction=reduction)

    @torch.no_grad()
    def mean_loss(self, stop: Stop) -> float:
        """Of all lines, by the weights as they are now."""

        def read(rows: Sequence[int]) -> float:
            stop.check()
            return float(self.loss(rows, "sum"))

        rows = range(len(self._table))
        total = sum(loss for _, loss in in_batches(rows, AT_ONCE, self._model.device, read))
        return total / sum(len(text.target) for text in self._table.texts)
