"""The paper's controlled experiments on the built-in model: `python -m bench.study`.

Prints the table of each study over the sample facts, with its sentences, as it stands in
bench/README.md. General capability needs the extra ``capability``; without it, the column stays
empty and the output says so. `--speed FILE` times instead the strict evaluation of the file's
first facts.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure.capability import harness_version
from workbench.measure.evaluate import evaluate
from workbench.measure.report.markdown import study_markdown
from workbench.methods.edit import edit
from workbench.model.load import load_model
from workbench.paths import assets_dir
from workbench.search.study_events import KEPT
from workbench.search.study_settings import StudySettings
from workbench.search.studying import studying
from workbench.work.events import follow
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper

SETTINGS = {
    "pipelines": StudySettings(kind="pipelines", facts=100, written=None),
    "scale": StudySettings(kind="scale", written=None),
}


def run(kind: str, facts: Sequence[Fact], out: Path | None) -> str:
    """One study's table and sentences as Markdown.

    Args:
        kind: which one.
        facts: what it draws from.
        out: a folder to keep it in and go on from.
    """
    model = load_model("builtin", device="cpu")
    settings = SETTINGS[kind]
    if harness_version() and kind == "pipelines":
        settings = replace(settings, capability=("builtin",))
    keeper: Keeper = FORGETFUL
    if out is not None:
        keeper = FolderKeeper(out / kind, "study", KEPT, StudySettings)
    done = follow(studying(model, facts, settings, keeper=keeper), keeper.take)
    return f"{done.asked}\n\n{study_markdown(done.result.record(model.name, done.asked))}"


def time_strict(path: Path, count: int) -> str:
    """How long the strict evaluation of reliability and generalization takes."""
    model = load_model("builtin", device="cpu")
    facts = [replace(fact, locality_prompts=()) for fact in read_facts(path).facts[:count]]
    patch = edit(model, facts[:50], epochs=1).patch
    began, busy = time.perf_counter(), time.process_time()
    report = evaluate(model, facts, patch, written=0)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    counts = report.as_dict()["counts"]
    return (
        f"{counts['facts']:,} facts, {counts['rephrase_prompts']:,} rephrases, before and after: "
        f"{seconds:.1f} s, {busy:.1f} s of CPU time"
    )


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.study", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(SETTINGS), help="which studies")
    parser.add_argument("--out", type=Path, help="keep the studies here, and go on from them")
    parser.add_argument("--speed", type=Path, metavar="FILE", help="time a strict evaluation")
    parser.add_argument("--facts", type=int, default=1000, help="facts of --speed")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.threads} CPU threads\n")
    if options.speed is not None:
        print(time_strict(options.speed, options.facts))
        return
    facts = read_facts(assets_dir() / "samples" / "facts_200.csv").facts
    for kind in options.kinds:
        print(f"### {kind}\n\n{run(kind, facts, options.out)}\n", flush=True)


if __name__ == "__main__":
    main()
