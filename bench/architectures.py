"""Which architectures can be edited, and how: `python -m bench.architectures`.

A tiny random model of every type in transformers' table of causal language models is saved,
loaded as any other, and put through what a person does with one: kept hidden states against the
plain forward, a run, a scan, answers, export and reload. Every type ends as exact, as a fallback
that is reported, as a clear error, or as anything else, of which there must be none. Each is
tried in a process of its own, with a limit of time and memory.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
import transformers
from transformers import AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from bench.tiny_checks import check_everything
from bench.tiny_configs import byte_tokenizer, tiny_config
from workbench.errors import WorkbenchError
from workbench.model.load import load_model

__all__ = ["KINDS", "Outcome", "tried"]

Kind = Literal["exact", "fallback", "clear error", "anything else", "not built"]

KINDS: tuple[Kind, ...] = ("exact", "fallback", "clear error", "anything else", "not built")
SECONDS = 90
MEMORY = 6 << 30
MOST_WEIGHTS = 5_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one type ended.

    Args:
        model_type: as in transformers' table.
        kind: one of `KINDS`; ``not built`` where transformers makes no such model of a few tokens.
        words: the fallback, the error, or why it was not built.
        layers: the kinds of layers, such as ``3 of 4 with experts``.
        seconds: wall clock.
    """

    model_type: str
    kind: Kind
    words: str = ""
    layers: str = ""
    seconds: float = 0.0


def tried(model_type: str) -> Outcome:
    """Builds a tiny model of a type and puts it through everything, in this process."""
    began = time.monotonic()
    kind, words, layers = _tried(model_type)
    return Outcome(model_type, kind, words, layers, time.monotonic() - began)


def _tried(model_type: str) -> tuple[Kind, str, str]:
    with TemporaryDirectory() as place:
        folder = Path(place) / "model"
        try:
            _build(model_type, folder)
        except Exception as error:
            return "not built", _line(error), ""
        try:
            model = load_model(str(folder), device="cpu", dtype="float32")
            layers, fallback = check_everything(model, Path(place))
        except WorkbenchError as error:
            return "clear error", _line(error).replace(str(folder), "…"), ""
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return "anything else", f"{_line(error)} ({Path(where.filename).name})", ""
    return ("fallback" if fallback else "exact"), fallback, layers


def _build(model_type: str, folder: Path) -> None:
    config = tiny_config(model_type)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    weights = sum(parameter.numel() for parameter in empty.parameters())
    if weights > MOST_WEIGHTS:
        raise ValueError(f"{weights:,} weights even when it is small")
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        network(input_ids=torch.arange(24).view(2, 12), use_cache=False)
    network.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2]) or type(error).__name__
    return text if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {text[:200]}"


def _quietly(model_type: str, path: Path) -> None:
    """Tries a type in a process that was forked for it; the outcome goes to a file."""
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        outcome = tried(model_type)
    path.write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def _apart(model_type: str, folder: Path) -> Outcome:
    """Tries a type in a process of its own."""
    path = folder / f"{model_type.replace('/', '-')}.json"
    process = multiprocessing.get_context("fork").Process(target=_quietly, args=(model_type, path))
    process.start()
    process.join(SECONDS + 10)
    if process.is_alive():
        process.kill()
        process.join()
    if path.is_file():
        return Outcome(**json.loads(path.read_text(encoding="utf-8")))
    ended = f"its process ended with {process.exitcode} within {SECONDS} s"
    return Outcome(model_type, "anything else", ended)


def all_outcomes(types: Iterable[str], jobs: int) -> Iterator[Outcome]:
    """The outcome of every type, as they come, each in a process of its own."""
    with TemporaryDirectory() as place, ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda model_type: _apart(model_type, Path(place)), types)


def table(outcomes: list[Outcome]) -> str:
    """The outcomes as they stand in bench/README.md."""
    lines = ["| outcome | types |", "| --- | ---: |"]
    for kind in KINDS:
        lines.append(f"| {kind} | {sum(o.kind == kind for o in outcomes)} |")
    exact = [o.model_type for o in outcomes if o.kind == "exact"]
    lines += ["", "Exact: " + ", ".join(exact) + ".", ""]
    lines += ["| outcome | in words | types |", "| --- | --- | --- |"]
    grouped: dict[tuple[Kind, str], list[str]] = {}
    for o in outcomes:
        if o.kind != "exact":
            words = o.words if o.kind == "anything else" else _in_general(o.words)
            grouped.setdefault((o.kind, words.replace("|", "\\|")), []).append(o.model_type)
    for (kind, words), types in sorted(grouped.items(), key=lambda item: KINDS.index(item[0][0])):
        lines.append(f"| {kind} | {words} | {', '.join(types)} |")
    return "\n".join(lines)


def _in_general(words: str) -> str:
    """Words without what stands in parentheses, which differs from type to type."""
    while (fewer := re.sub(r" ?\([^()]*\)", "", words)) != words:
        words = fewer
    return words


def main() -> None:
    """Tries all types, or those that are named; the exit status is 1 where one ended otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*", help="model types; none: all")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--out", type=Path, help="a file for the table")
    args = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    began, outcomes = time.monotonic(), []
    for outcome in all_outcomes(args.types or list(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES), args.jobs):
        outcomes.append(outcome)
        line = f"{outcome.model_type}: {outcome.kind}, {outcome.seconds:.1f} s"
        print(f"{line}. {outcome.layers} {outcome.words}".rstrip(), file=sys.stderr, flush=True)
    found = table(outcomes)
    if args.out is not None:
        args.out.write_text(found + "\n", encoding="utf-8")
    print(found)
    print(f"\n{len(outcomes)} types in {time.monotonic() - began:.0f} s.")
    sys.exit(any(o.kind == "anything else" for o in outcomes))


if __name__ == "__main__":
    main()
