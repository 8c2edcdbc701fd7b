"""A scan: in seconds, which weights an edit pulls at, and how much of that pull moves other things.

One backward pass of the edit loss over a sample gives the gradient of every matrix at once; one
backward pass for each of a few neutral prompts gives the direction in which that matrix moves
the prompt's next token. A matrix's gradient is reduced to a sketch the moment it is there and
freed, so that never more than one is held above the model.

Overlap: near the base, KL(base || edited) on neutral prompts grows as half the quadratic form of
the Fisher matrix, the mean of g g^T over the gradients g of log p(token | prompt), tokens drawn
from the model's own distribution (Martens, "New insights and perspectives on the natural
gradient method", JMLR 2020). The gradient of that KL itself is zero at the base and tells
nothing. The share of the edit's direction that this form sees is reported as the root mean
square of the cosines between the edit's gradient and each g, from 0 to 1.

Invariant: afterwards the model is as before, all weights frozen. A scan ranks no locations: the
largest gradient is often in a first layer that takes edits worst.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from workbench.facts.fact import Fact
from workbench.methods.loss import text_losses
from workbench.model.experts import part_name
from workbench.model.language_model import LanguageModel
from workbench.model.layers import LocationInfo
from workbench.model.memory import in_batches
from workbench.model.states import target_logits
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize_facts
from workbench.search.neutral import choose_neutral
from workbench.search.sample import draw_sample
from workbench.search.scan_result import Scan, ScanRow
from workbench.search.scan_settings import ScanSettings
from workbench.search.sketch import FEW_BUCKETS, Sketcher
from workbench.work.events import Event, Progress, Work, follow
from workbench.work.stop import Stop

__all__ = ["Scan", "ScanRow", "scan", "scanning"]

TOKENS_PER_PASS = 2048
ASKED = 16

Sketches = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class _Place:
    """A weight that is scanned.

    Args:
        info: where it is, and its size.
        experts: where it is a stack, the matrix of each expert by its name.
    """

    info: LocationInfo
    experts: dict[str, LocationInfo] = field(default_factory=dict)


Places = dict[str, _Place]


def scan(
    model: LanguageModel,
    facts: Sequence[Fact],
    *,
    sample: int = 64,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Scans every matrix of every layer, stacked experts together and one by one.

    Args:
        model: the base; it stays as it is.
        facts: what the sample is drawn from.
        sample: how many facts.
        seed: draws the sample.
        on_progress: called with texts done and texts in all; what it raises ends the scan.

    Raises:
        FactsError: no facts, or one is too long for the model.
        MemoryShortage: not even one text fits.
    """
    settings = ScanSettings(max(1, sample), seed)

    def tell(event: Event) -> None:
        if on_progress is not None and isinstance(event, Progress):
            on_progress(int(event.done), int(event.total))

    return follow(scanning(model, facts, settings), tell)


def scanning(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: ScanSettings,
    *,
    stop: Stop | None = None,
) -> Work[Scan]:
    """Scans; says how far it is, and returns what was found.

    Args:
        model: the base; it stays as it is.
        facts: what the sample is drawn from.
        settings: how many of them.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        FactsError: no facts, or one is too long for the model.
        MemoryShortage: not even one text fits.
    """
    began, seed = time.monotonic(), settings.seed
    drawn = draw_sample(facts, max(1, min(settings.sample, len(facts))), seed)
    edits = TokenTable(tokenize_facts(model.tokenizer, drawn.facts, model.longest), model.device)
    local = [q.prompt for fact in drawn.facts for q in fact.locality_prompts]
    trained = [fact.prompt for fact in drawn.facts]
    neutral, own = choose_neutral(local + list(drawn.others), trained)
    neutral = neutral[:ASKED]
    places = _places(model)
    total, done = len(edits) + len(neutral), 0

    def step(texts: int) -> Progress:
        nonlocal done
        done += texts
        if stop is not None:
            stop.check()
        return Progress(done, total, f"text {done} of {total}")

    sketchers = _Sketchers(model, seed)
    pull: Sketches = {}
    for texts, sketches in _edit_gradients(model, edits, places, sketchers):
        for name, sketch in sketches.items():
            pull[name] = pull[name] + sketch if name in pull else sketch
        yield step(texts)
    squares = dict.fromkeys(pull, 0.0)
    for sketches in _neutral_gradients(model, neutral, places, sketchers, seed):
        for name, sketch in sketches.items():
            if name in pull:
                squares[name] += _cosine(pull[name], sketch) ** 2 / len(neutral)
        yield step(1)
    rows: list[ScanRow] = []
    for name, place in places.items():
        whole = str(place.info.location)
        for each, info in {name: place.info, **place.experts}.items():
            of = whole if each != name else ""
            found = _row(model, each, info, pull.get(each), squares.get(each, 0.0), of)
            rows.append(found)
    own = min(own, len(neutral))
    seconds = time.monotonic() - began
    return Scan(tuple(rows), len(facts), len(edits), own, len(neutral) - own, seconds)


def _places(model: LanguageModel) -> Places:
    """The matrices and stacks of experts of every layer by full name."""
    found: Places = {}
    for info in model.locations():
        if info.is_place:
            (name,) = model.weights_at((info.location,))
            experts = enumerate(model.layers.experts_in(info)) if info.experts else ()
            found[name] = _Place(info, {part_name(name, number): one for number, one in experts})
    return found


class _Sketchers:
    """Sketches of a gradient, and of its parts where it is one of stacked experts."""

    def __init__(self, model: LanguageModel, seed: int) -> None:
        self._model = model
        self._whole = Sketcher(model.device, seed)
        self._part = Sketcher(model.device, seed, FEW_BUCKETS)

    def __call__(self, name: str, place: _Place, gradient: torch.Tensor) -> Sketches:
        parts = {part: self._part(self._model.part(part, gradient)) for part in place.experts}
        return {name: self._whole(gradient), **parts}


def _row(
    model: LanguageModel,
    name: str,
    info: LocationInfo,
    pull: torch.Tensor | None,
    square: float,
    whole: str,
) -> ScanRow:
    gradient = 0.0 if pull is None else float(pull.norm())
    norm = float(model.tensor(name).float().norm())
    return ScanRow(
        at=str(info.location),
        layer=info.location.layer,
        module=info.location.module,
        weights=info.weights,
        gradient=gradient,
        relative=gradient / norm if norm else 0.0,
        overlap=min(1.0, square**0.5),
        whole=whole,
    )


def _cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    norms = float(first.norm() * second.norm())
    return float(first @ second) / norms if norms else 0.0


@contextmanager
def _sketching(model: LanguageModel, places: Places, sketchers: _Sketchers) -> Iterator[Sketches]:
    """A backward pass in the block leaves a sketch of each matrix's gradient, and no gradient.

    Invariant: after the block all weights are frozen again and no hook is left.
    """
    sketches: Sketches = {}
    parameters = {name: model.network.get_parameter(name) for name in places}

    def keep(name: str) -> Callable[[torch.Tensor], None]:
        def reduce(parameter: torch.Tensor) -> None:
            assert parameter.grad is not None
            sketches.update(sketchers(name, places[name], parameter.grad))
            parameter.grad = None

        return reduce

    handles = []
    try:
        for name, parameter in parameters.items():
            parameter.requires_grad_(True)
            handles.append(parameter.register_post_accumulate_grad_hook(keep(name)))
        yield sketches
    finally:
        for handle in handles:
            handle.remove()
        for parameter in parameters.values():
            parameter.requires_grad_(False)
            parameter.grad = None


def _edit_gradients(
    model: LanguageModel, edits: TokenTable, places: Places, sketchers: _Sketchers
) -> Iterator[tuple[int, Sketches]]:
    """Gradients of the mean edit loss, in parts that add up: (texts in the part, sketches)."""

    def pull(rows: Sequence[int]) -> Sketches:
        batch = edits.batch(rows)
        with _sketching(model, places, sketchers) as sketches:
            loss = text_losses(target_logits(model, batch), batch).sum() / len(edits)
            loss.backward()  # type: ignore[no-untyped-call]
        return sketches

    order = sorted(range(len(edits)), key=edits.length)
    size = max(1, TOKENS_PER_PASS // edits.length(order[-1]))
    for rows, sketches in in_batches(order, size, model.device, pull):
        yield len(rows), sketches


def _neutral_gradients(
    model: LanguageModel,
    prompts: Sequence[str],
    places: Places,
    sketchers: _Sketchers,
    seed: int,
) -> Iterator[Sketches]:
    """For each prompt, the gradient of the log-probability of a next token drawn by the model."""
    generator = torch.Generator().manual_seed(seed)
    # The target only says where the next token is predicted; which one it is, is drawn below.
    texts = [TokenizedText(ids, (0,)) for ids in prompt_tokens(model.tokenizer, prompts)]
    table = TokenTable(texts, model.device)

    def move(rows: Sequence[int]) -> Sketches:
        with _sketching(model, places, sketchers) as sketches:
            shares = target_logits(model, table.batch(rows))[0].log_softmax(dim=-1)
            drawn = torch.multinomial(shares.detach().exp().cpu(), 1, generator=generator)
            (-shares[int(drawn)]).backward()  # type: ignore[no-untyped-call]
        return sketches

    for _, sketches in in_batches(range(len(texts)), 1, model.device, move):
        yield sketches
