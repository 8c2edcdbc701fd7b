"""Plans for open models of 0.5B to 72B, by the numbers of their published configs.

`python -m bench.plans` writes each config.json into a folder with nothing else in it, plans a run
of 100,000 facts there, and prints a table as Markdown. No weights and no network are needed, and
nothing is measured: this is arithmetic.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import workbench
from workbench.methods.plan_result import Plan
from workbench.work.words import duration

__all__ = ["MODELS", "as_table", "plans_of"]

FACTS, TOKENS = 100_000, 15.6
CARDS = ("80GB", "24GB")

NAMES = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
)
TIED = {"tie_word_embeddings": True}
WIDE = {"head_dim": 128}

_NUMBERS: tuple[tuple[str, str, tuple[int, ...], Mapping[str, Any]], ...] = (
    ("Qwen/Qwen2.5-0.5B-Instruct", "qwen2", (24, 896, 4864, 14, 2, 151936), TIED),
    ("meta-llama/Llama-3.2-1B-Instruct", "llama", (16, 2048, 8192, 32, 8, 128256), TIED),
    ("Qwen/Qwen2.5-1.5B-Instruct", "qwen2", (28, 1536, 8960, 12, 2, 151936), TIED),
    ("google/gemma-2-2b-it", "gemma2", (26, 2304, 9216, 8, 4, 256000), TIED | {"head_dim": 256}),
    ("Qwen/Qwen2.5-3B-Instruct", "qwen2", (36, 2048, 11008, 16, 2, 151936), TIED),
    ("meta-llama/Llama-3.2-3B-Instruct", "llama", (28, 3072, 8192, 24, 8, 128256), TIED | WIDE),
    ("microsoft/Phi-3.5-mini-instruct", "phi3", (32, 3072, 8192, 32, 32, 32064), {}),
    ("mistralai/Mistral-7B-Instruct-v0.3", "mistral", (32, 4096, 14336, 32, 8, 32768), {}),
    ("Qwen/Qwen2.5-7B-Instruct", "qwen2", (28, 3584, 18944, 28, 4, 152064), {}),
    ("meta-llama/Meta-Llama-3-8B-Instruct", "llama", (32, 4096, 14336, 32, 8, 128256), {}),
    ("Qwen/Qwen3-8B", "qwen3", (36, 4096, 12288, 32, 8, 151936), WIDE),
    ("google/gemma-2-9b-it", "gemma2", (42, 3584, 14336, 16, 8, 256000), TIED | {"head_dim": 256}),
    ("microsoft/phi-4", "phi3", (40, 5120, 17920, 40, 10, 100352), {}),
    ("Qwen/Qwen2.5-14B-Instruct", "qwen2", (48, 5120, 13824, 40, 8, 152064), {}),
    ("google/gemma-2-27b-it", "gemma2", (46, 4608, 36864, 32, 16, 256000), TIED | WIDE),
    (
        "Qwen/Qwen3-30B-A3B",
        "qwen3_moe",
        (48, 2048, 6144, 32, 4, 151936),
        WIDE | {"moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8},
    ),
    ("Qwen/Qwen3-32B", "qwen3", (64, 5120, 25600, 64, 8, 151936), WIDE),
    ("Qwen/Qwen2.5-32B-Instruct", "qwen2", (64, 5120, 27648, 40, 8, 152064), {}),
    (
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "mixtral",
        (32, 4096, 14336, 32, 8, 32000),
        {"num_local_experts": 8, "num_experts_per_tok": 2},
    ),
    ("meta-llama/Llama-3.1-70B-Instruct", "llama", (80, 8192, 28672, 64, 8, 128256), {}),
    ("Qwen/Qwen2.5-72B-Instruct", "qwen2", (80, 8192, 29568, 64, 8, 152064), {}),
)

MODELS: dict[str, dict[str, Any]] = {
    name: {
        "model_type": kind,
        "dtype": "bfloat16",
        "tie_word_embeddings": False,
        **dict(zip(NAMES, numbers, strict=True)),
        **more,
    }
    for name, kind, numbers, more in _NUMBERS
}
"""What decides the shapes of each model's config.json, by its hub id."""


def plans_of(name: str, folder: Path) -> list[Plan]:
    """The plan of a model for each card.

    Args:
        name: its hub id.
        folder: where its config may be written.
    """
    home = folder / name.rpartition("/")[2]
    home.mkdir()
    (home / "config.json").write_text(json.dumps(MODELS[name]), encoding="utf-8")
    asked: dict[str, Any] = {"facts": FACTS, "tokens_a_fact": TOKENS}
    return [workbench.plan(str(home), memory=card, **asked) for card in CARDS]


def as_table() -> str:
    """All plans as Markdown."""
    cards = " | ".join(f"in {card.removesuffix('GB')} GB" for card in CARDS)
    sizes = "weights, B | GB | place | a step, GB | states, GB"
    lines = [
        f"| model | {sizes} | once | an epoch | {cards} |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: " + "| --- " * len(CARDS) + "|",
    ]
    with TemporaryDirectory() as folder:
        for name in MODELS:
            plans = plans_of(name, Path(folder))
            lines.append(_row(name, plans))
    return "\n".join(lines)


def _row(name: str, plans: list[Plan]) -> str:
    plan = plans[0]
    step = plan.step
    kind = "paper's" if plan.place_is == "measured" else plan.place_is
    cells = [
        name.rpartition("/")[2],
        f"{plan.parameters / 1e9:.2f}",
        *_gigabytes(plan.weights_bytes),
        f"{', '.join(step.at)} ({kind})",
        *_gigabytes(step.bytes, plan.states_bytes),
        duration(plan.seconds(step.prefix_flops)),
        duration(plan.seconds(step.epoch_flops)),
        *map(_fit, plans),
    ]
    return f"| {' | '.join(cells)} |"


def _gigabytes(*sizes: int) -> list[str]:
    return [f"{size / 1e9:.1f}" for size in sizes]


def _fit(plan: Plan) -> str:
    if plan.fit == "whole":
        return "whole"
    if plan.fit == "step":
        return "a step"
    there, pieces = plan.fits_from, plan.fits_in_pieces_from
    if pieces is None:
        return "no layer"
    found = [f"from layer {there.layer}"] if there is not None else []
    if there is None or pieces.layer < there.layer:
        found.append(f"fact by fact from {pieces.layer}")
    return "; ".join(found)


if __name__ == "__main__":
    print(as_table())
