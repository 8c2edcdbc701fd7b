"""Trains the built-in model from scratch: `python -m workbench.builtin.train`.

The weights live in float32 and are copied to a bfloat16 model before each step, which is
what is trained and what is shipped. Hidden matrices are tuned by Muon, embeddings and norms
by AdamW; the learning rate warms up, stays, then falls linearly. The schedule follows
whichever is further along, the steps or the minutes. With `--minutes 0` the same seed on the
same kind of machine sees exactly the same batches and rates. Knows nothing about measuring.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from workbench.builtin.corpus import Document, epoch_documents
from workbench.builtin.tokenizer import LONGEST_INPUT, VOCABULARY, train_tokenizer
from workbench.paths import builtin_model_dir

BATCH_TOKENS = 3072
MUON_RATE = 0.02
ADAMW_RATE = 3e-3
WARM_UP_STEPS = 40
CONSTANT_UNTIL = 0.4
LAST_RATE = 0.02
PROMPT_WEIGHT = 0.3
TOKENIZER_EPOCHS = 3


@dataclass(frozen=True)
class Batch:
    """Rows of documents padded at the right: token ids, and the weight of each as a target."""

    ids: torch.Tensor
    weights: torch.Tensor


def make_config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The shape of the built-in model: eight layers, 9.4 million parameters."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=1024,
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
    """All documents as batches of rows of similar length, in the order of that length."""
    prompts = tokenizer([document.prompt for document in documents])["input_ids"]
    answers = tokenizer([" " + document.answer for document in documents])["input_ids"]
    rows = [
        (prompt + answer + [tokenizer.eos_token_id], len(prompt))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    rows.sort(key=lambda row: len(row[0]))
    batches, start = [], 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and (end + 1 - start) * len(rows[end][0]) <= BATCH_TOKENS:
            end += 1
        batches.append(_pad(rows[start:end], tokenizer.pad_token_id))
        start = end
    return batches


def _pad(rows: list[tuple[list[int], int]], pad: int) -> Batch:
    width = max(len(ids) for ids, _ in rows)
    table = torch.full((len(rows), width), pad)
    weights = torch.zeros(len(rows), width)
    for row, (ids, prompt) in enumerate(rows):
        table[row, : len(ids)] = torch.tensor(ids)
        weights[row, 1:prompt] = PROMPT_WEIGHT
        weights[row, prompt : len(ids)] = 1.0
    return Batch(table, weights)


def endless_batches(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[Batch]:
    """Epoch after epoch of batches, shuffled by the seed."""
    epoch = 0
    while True:
        rng = random.Random(f"{seed}|{epoch}|order")
        documents = list(epoch_documents(seed, epoch))
        rng.shuffle(documents)
        batches = encode(tokenizer, documents)
        rng.shuffle(batches)
        yield from batches
        epoch += 1


def weighted_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy over the batch's targets, each counted by its weight."""
    hidden = model.model(input_ids=batch.ids).last_hidden_state[:, :-1]
    targets, weights = batch.ids[:, 1:].flatten(), batch.weights[:, 1:].flatten()
    logits = model.lm_head(hidden).flatten(0, 1).float()
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weights).sum() / weights.sum()


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
    """The share of the full learning rate at this step and this share of the training."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    fall = min(1.0, (1.0 - progress) / (1.0 - CONSTANT_UNTIL))
    return warm_up * max(LAST_RATE, fall)


def train(
    steps: int, minutes: float, seed: int
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A trained model with its tokenizer, after so many steps or minutes (0: no limit)."""
    torch.manual_seed(seed)
    torch.set_num_threads(os.cpu_count() or 1)
    texts = (
        f"{document.prompt} {document.answer}"
        for epoch in range(TOKENIZER_EPOCHS)
        for document in epoch_documents(seed, epoch)
    )
    tokenizer = train_tokenizer(texts)
    config = make_config(tokenizer)
    config._attn_implementation = "eager"  # about twice as fast as SDPA on such short rows
    model = LlamaForCausalLM(config)
    model.bfloat16()
    masters = Masters(model)
    batches = endless_batches(tokenizer, seed)
    start = time.perf_counter()
    tokens, smooth = 0, 0.0
    for step in range(steps):
        elapsed = (time.perf_counter() - start) / 60
        progress = max(step / steps, elapsed / minutes if minutes else 0.0)
        if progress >= 1.0:
            break
        batch = next(batches)
        loss = weighted_loss(model, batch)
        loss.backward()
        masters.step(rate_at(step, progress))
        tokens += int((batch.weights > 0).sum())
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            print(
                f"step {step}  loss {smooth:.3f}  {tokens:,} tokens  {elapsed:.1f} min", flush=True
            )
    model.eval()
    return model, tokenizer


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
        for path in Path(folder).iterdir():
            path.replace(out / path.name)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the built-in model from scratch.")
    parser.add_argument("--out", type=Path, default=builtin_model_dir(), help="model folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2400, help="most steps to take")
    parser.add_argument("--minutes", type=float, default=29.0, help="most minutes, 0 for no limit")
    options = parser.parse_args()
    start, cpu = time.perf_counter(), time.process_time()
    model, tokenizer = train(options.steps, options.minutes, options.seed)
    save(model, tokenizer, options.out)
    wall, busy = time.perf_counter() - start, time.process_time() - cpu
    print(f"saved {options.out}: {wall / 60:.1f} min of wall time, {busy / 60:.1f} min of CPU time")


if __name__ == "__main__":
    main()
