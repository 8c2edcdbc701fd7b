"""Asks the built-in model: greedy answers to many prompts, and whether they are exactly right.

An answer is right when greedy decoding gives exactly " answer" and then the end-of-text
token. The model is used as shipped, in bfloat16, through plain transformers.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

__all__ = ["Answerer"]

LONGEST_ANSWER = 24
BATCH = 128


class Answerer:
    """The model of one folder, ready to answer prompts."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()

    def answer(self, prompts: Sequence[str]) -> list[str | None]:
        """The greedy answer of each prompt without its leading space.

        None where no end-of-text token came within `LONGEST_ANSWER` tokens, or where the
        answer does not begin with a space.
        """
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        answers: list[str | None] = [None] * len(prompts)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            for index, text in zip(
                chosen, self._generate([prompts[i] for i in chosen]), strict=True
            ):
                answers[index] = text
        return answers

    @torch.inference_mode()
    def _generate(self, prompts: list[str]) -> list[str | None]:
        inputs = self.tokenizer(prompts, return_tensors="pt", padding=True)
        output = self.model.generate(**inputs, do_sample=False, max_new_tokens=LONGEST_ANSWER)
        return [self._read(row.tolist()) for row in output[:, inputs["input_ids"].shape[1] :]]

    def _read(self, ids: list[int]) -> str | None:
        if self.tokenizer.eos_token_id not in ids:
            return None
        text = str(self.tokenizer.decode(ids[: ids.index(self.tokenizer.eos_token_id)]))
        return text[1:] if text.startswith(" ") else None
