"""Trains the built-in model from scratch: `python -m workbench.builtin.train`.

The weights live in float32 and are copied to a bfloat16 model before each step, which is
what is trained and what is shipped. Hidden matrices are tuned by Muon, embeddings and norms
by AdamW. There are three parts: without the late skills (see `skills`), with many of them, and
with all skills as often as the corpus has them. In each the learning rate warms up, stays, then
falls linearly. The schedule follows whichever is further along, the steps or the minutes. With
`--minutes 0` the same seed on the same kind of machine sees exactly the same batches and rates.
Knows nothing about measuring.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from workbench.builtin.corpus import Document, epoch_documents
from workbench.builtin.tokenizer import LONGEST_INPUT, VOCABULARY, train_tokenizer
from workbench.paths import builtin_model_dir

__all__ = [
    "PROMPT_WEIGHT",
    "Batch",
    "Masters",
    "Part",
    "encode",
    "endless_batches",
    "make_config",
    "rate_at",
    "sampled_loss",
    "save",
    "train",
]

BATCH_TOKENS = 1536
WIDTH_STEP = 8
MUON_RATE = 0.02
ADAMW_RATE = 3e-3
WARM_UP_STEPS = 40
CONSTANT_UNTIL = 0.3
LAST_RATE = 0.02
PROMPT_WEIGHT = 0.15
TOKENIZER_EPOCHS = 3


@dataclass(frozen=True)
class Part:
    """A part of the training: its share of the whole, its highest rate, how many late skills."""

    begins: float
    ends: float
    rate: float
    late: float


PARTS = (
    Part(0.0, 0.68, rate=1.0, late=0.0),
    Part(0.68, 0.80, rate=0.5, late=8.0),
    Part(0.80, 1.0, rate=0.4, late=1.0),
)

Row = tuple[list[int], list[float]]


@dataclass(frozen=True)
class Batch:
    """Rows of documents padded at the right: token ids, and the weight of each as a target."""

    ids: torch.Tensor
    weights: torch.Tensor


def make_config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The shape of the built-in model: eight layers, 7.6 million parameters."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=LONGEST_INPUT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="bfloat16",
    )


def encode(tokenizer: PreTrainedTokenizerFast, documents: list[Document]) -> list[Batch]:
    """All documents as batches of rows of similar length, of one of a few shapes.

    The last batch of a shape is filled up by its first rows once more, so that a compiled model
    meets no other shapes.
    """
    turns = [turn for document in documents for turn in document]
    prompts = iter(tokenizer([turn.prompt for turn in turns])["input_ids"])
    answers = iter(tokenizer([" " + turn.answer for turn in turns])["input_ids"])
    end = [tokenizer.eos_token_id]
    rows = [_row([(next(prompts), next(answers) + end) for _ in doc]) for doc in documents]
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(-(-len(row[0]) // WIDTH_STEP) * WIDTH_STEP, []).append(row)
    batches = []
    for width, group in sorted(groups.items()):
        size = BATCH_TOKENS // width
        group += [group[place % len(group)] for place in range(-len(group) % size)]
        batches += [
            _pad(group[start : start + size], width, tokenizer.pad_token_id)
            for start in range(0, len(group), size)
        ]
    return batches


def _row(turns: list[tuple[list[int], list[int]]]) -> Row:
    ids, weights = [], []
    for prompt, answer in turns:
        ids += prompt + answer
        weights += [PROMPT_WEIGHT] * len(prompt) + [1.0] * len(answer)
    return ids, weights


def _pad(rows: list[Row], width: int, pad: int) -> Batch:
    table = torch.full((len(rows), width), pad)
    weights = torch.zeros(len(rows), width)
    for row, (ids, weight) in enumerate(rows):
        table[row, : len(ids)] = torch.tensor(ids)
        weights[row, : len(ids)] = torch.tensor(weight)
    return Batch(table, weights)


def endless_batches(tokenizer: PreTrainedTokenizerFast, seed: int, late: float) -> Iterator[Batch]:
    """Epoch after epoch of batches, shuffled by the seed; `late` as in `epoch_documents`."""
    epoch = 0
    while True:
        rng = random.Random(f"{seed}|{epoch}|{late}|order")
        documents = list(epoch_documents(seed, epoch, late))
        rng.shuffle(documents)
        batches = encode(tokenizer, documents)
        rng.shuffle(batches)
        yield from batches
        epoch += 1


def sampled_loss(body: Callable[..., Any], head: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy over targets drawn by their weights, 1 being always.

    `body` gives the last hidden states for token ids, `head` the logits for hidden states.

    Drawing the prompts' tokens, rather than weighing all of them, saves most of the work of the
    projection to the vocabulary.
    """
    hidden = body(input_ids=batch.ids, use_cache=False).last_hidden_state[:, :-1].flatten(0, 1)
    targets, weights = batch.ids[:, 1:].flatten(), batch.weights[:, 1:].flatten()
    drawn = (torch.rand_like(weights) < weights).nonzero().squeeze(1)
    logits = head(hidden.index_select(0, drawn)).float()
    return torch.nn.functional.cross_entropy(logits, targets[drawn])


class Masters:
    """The float32 weights and their optimizers; the model itself holds bfloat16 copies."""

    def __init__(self, model: LlamaForCausalLM) -> None:
        self.model = model
        self.weights = {
            name: torch.nn.Parameter(weight.detach().float())
            for name, weight in model.named_parameters()
        }
        matrices = [w for n, w in self.weights.items() if w.ndim == 2 and "embed" not in n]
        others = [w for n, w in self.weights.items() if w.ndim != 2 or "embed" in n]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.1, momentum=0.95),
            torch.optim.AdamW(others, lr=ADAMW_RATE, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.rates = (MUON_RATE, ADAMW_RATE)

    def step(self, rate: float) -> None:
        """Takes the model's gradients into one step at `rate` times the full rates."""
        for name, weight in self.model.named_parameters():
            self.weights[name].grad = weight.grad.float() if weight.grad is not None else None
            weight.grad = None
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        for optimizer, full in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = full * rate
            optimizer.step()
        with torch.no_grad():
            for name, weight in self.model.named_parameters():
                weight.copy_(self.weights[name])


def rate_at(step: int, progress: float) -> float:
    """The share of a part's highest rate at this step and this share of the part."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    fall = min(1.0, (1.0 - progress) / (1.0 - CONSTANT_UNTIL))
    return warm_up * max(LAST_RATE, fall)


def train(
    steps: int, minutes: float, seed: int, compiled: bool
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A trained model with its tokenizer, after so many steps or minutes (0: no limit).

    Compiling takes a minute or two and a C++ compiler, and then halves the time of a step.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(os.cpu_count() or 1)
    tokenizer = train_tokenizer(_tokenizer_texts(seed))
    config = make_config(tokenizer)
    config._attn_implementation = "eager"  # about twice as fast as SDPA on such short rows
    model = LlamaForCausalLM(config)
    model.bfloat16()
    masters = Masters(model)
    body = torch.compile(model.model, dynamic=True) if compiled else model.model
    part, part_step = PARTS[0], 0
    batches = endless_batches(tokenizer, seed, part.late)
    start = time.perf_counter()
    tokens, smooth = 0, 0.0
    for step in range(steps):
        elapsed = (time.perf_counter() - start) / 60
        progress = max(step / steps, elapsed / minutes if minutes else 0.0)
        if progress >= 1.0:
            break
        if progress >= part.ends:
            part, part_step = next(later for later in PARTS if progress < later.ends), 0
            batches = endless_batches(tokenizer, seed, part.late)
        batch = next(batches)
        loss = sampled_loss(body, model.lm_head, batch)
        torch.autograd.backward(loss)
        within = (progress - part.begins) / (part.ends - part.begins)
        masters.step(part.rate * rate_at(part_step, within))
        part_step += 1
        tokens += int((batch.weights > 0).sum())
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0:
            print(
                f"step {step}  loss {smooth:.3f}  {tokens:,} tokens  {elapsed:.1f} min", flush=True
            )
    model.eval()
    return model, tokenizer


def _tokenizer_texts(seed: int) -> Iterator[str]:
    for epoch in range(TOKENIZER_EPOCHS):
        for document in epoch_documents(seed, epoch):
            for turn in document:
                yield f"{turn.prompt} {turn.answer}"


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Writes the model folder; files of the folder before are replaced at the very end.

    Files that are not the model's own, such as the model card, stay.
    """
    out.mkdir(parents=True, exist_ok=True)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        # safetensors writes a file that is its owner's alone; the others follow the umask.
        mode = (Path(folder) / "config.json").stat().st_mode
        for path in Path(folder).iterdir():
            path.chmod(mode)
            path.replace(out / path.name)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the built-in model from scratch.")
    parser.add_argument("--out", type=Path, default=builtin_model_dir(), help="model folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10_000, help="most steps to take")
    parser.add_argument("--minutes", type=float, default=29.0, help="most minutes, 0 for no limit")
    options = parser.parse_args()
    start, cpu = time.perf_counter(), time.process_time()
    model, tokenizer = train(
        options.steps, options.minutes, options.seed, compiled=shutil.which("g++") is not None
    )
    save(model, tokenizer, options.out)
    wall, busy = time.perf_counter() - start, time.process_time() - cpu
    print(f"saved {options.out}: {wall / 60:.1f} min of wall time, {busy / 60:.1f} min of CPU time")


if __name__ == "__main__":
    main()
