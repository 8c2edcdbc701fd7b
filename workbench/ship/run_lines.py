"""The lines that run what was written, elsewhere. Plain texts; imports nothing heavy."""

import shlex
from pathlib import Path

__all__ = ["VLLM_RANKS", "run_lines", "vllm_rank"]

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks for which vLLM reserves room."""


def vllm_rank(rank: int) -> int:
    """What ``--max-lora-rank`` must be for an adapter of a rank."""
    return next((room for room in VLLM_RANKS if room >= rank), VLLM_RANKS[-1])


def run_lines(form: str, path: str, base: str, *, rank: int = 0) -> list[str]:
    """The commands that run an export.

    Args:
        form: of the export, see `ExportSettings`.
        path: where it is.
        base: what it was made from.
        rank: of an adapter.
    """
    here, under, name = shlex.quote(path), shlex.quote(base), Path(path).stem
    if form == "gguf":
        return [
            f"llama-server -m {here}",
            f"echo 'FROM {Path(path).absolute()}' > Modelfile && ollama create {name} -f Modelfile "
            f"&& ollama run {name}",
        ]
    if form == "adapter":
        return [
            f"vllm serve {under} --enable-lora --max-lora-rank {vllm_rank(rank)} "
            f"--lora-modules edited={here}",
            f"python -m sglang.launch_server --model-path {under} --enable-lora "
            f"--max-lora-rank {rank} --lora-paths edited={here}",
        ]
    if form == "full":
        return [f"vllm serve {here}", f"python -m sglang.launch_server --model-path {here}"]
    return []
