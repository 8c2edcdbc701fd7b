"""Every method on equal terms: `python -m bench.rivals`, printed as it stands in bench/README.md.

A study of methods for each seed, which draws the facts and their order; each arm at its best of a
few multiples of its main setting, by its score on those same facts; then the mean over the seeds
with the smallest and the largest. `--out` keeps the studies and goes on from them; `--file` names
other facts, and `--model` another model.
"""

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from workbench.facts.fact import Fact
from workbench.facts.read import read_facts
from workbench.measure.report.markdown import table
from workbench.measure.report.study import tried_setting
from workbench.methods.method_settings import MODES
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.paths import assets_dir
from workbench.search.study_events import KEPT
from workbench.search.study_settings import StudySettings
from workbench.search.studying import Studied, studying
from workbench.work.events import follow
from workbench.work.keeper import FORGETFUL, FolderKeeper, Keeper
from workbench.work.words import size

SHARES = (
    "reliability_strict",
    "reliability_generated",
    "generalization_strict",
    "portability_strict",
    "locality_strict",
    "reliability_question_strict",
    "reliability_chat_strict",
)
HEADS = (
    "arm",
    "learned",
    "said (generated)",
    "rephrased",
    "what follows",
    "neighbours stay",
    "as question",
    "in chat",
    "score",
)
COSTS = ("best setting", "s", "memory", "weights changed", "first facts, then and now")


def studied(
    model: LanguageModel, facts: Sequence[Fact], settings: StudySettings, out: Path | None
) -> Studied:
    """One study.

    Args:
        model: the base.
        facts: what it draws from.
        settings: of the study.
        out: where it is kept; None keeps none.
    """
    keeper: Keeper = FORGETFUL
    if out is not None:
        keeper = FolderKeeper(out / f"seed-{settings.seed}", "study", KEPT, StudySettings)
    return follow(studying(model, facts, settings, keeper=keeper), keeper.take)


def merged(studies: Sequence[Studied]) -> str:
    """The arms over all seeds, as a Markdown table."""
    by_label: dict[str, list[dict[str, Any]]] = {}
    for study in studies:
        for row in study.result.rows():
            by_label.setdefault(row["label"], []).append(row)
    body = []
    for label, rows in by_label.items():
        shares = [_spread([row.get(share) for row in rows]) for share in SHARES]
        score = _spread([row["score"] for row in rows])
        followed = "–"
        if rows[0]["first"]:
            then, now = (
                _spread([row[name] for row in rows]) for name in ("first_then", "first_now")
            )
            followed = f"{then}, {now}"
        body.append(
            (
                label,
                *shares,
                score,
                ", ".join(dict.fromkeys(map(tried_setting, rows))),
                f"{statistics.mean(row['seconds'] for row in rows):.1f}",
                size(max(row["memory_bytes"] for row in rows)),
                f"{round(statistics.mean(row['weights'] for row in rows)):,}",
                followed,
            )
        )
    return table([*HEADS, *COSTS], body, left=1)


def _spread(values: Sequence[float | None]) -> str:
    """The mean, and the smallest and the largest where they differ."""
    there = [value for value in values if value is not None]
    if not there:
        return "–"
    mean = f"{statistics.mean(there):.2f}"
    low, high = min(there), max(there)
    return mean if f"{low:.2f}" == f"{high:.2f}" else f"{mean} ({low:.2f}–{high:.2f})"


def main() -> None:
    """Prints the table."""
    usual = StudySettings(kind="methods")
    parser = argparse.ArgumentParser(prog="python -m bench.rivals", description=__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--file", type=Path, default=assets_dir() / "samples" / "facts_200.csv")
    parser.add_argument("--facts", type=int, default=100)
    parser.add_argument("--at-a-time", type=int, default=usual.at_a_time)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--modes", nargs="*", default=[], choices=MODES)
    parser.add_argument("--strengths", type=float, nargs="*", default=[])
    parser.add_argument("--rehearsed", type=int)
    parser.add_argument("--locft-at", default="", help="empty: what a sweep recommends")
    parser.add_argument("--written", type=int, default=10, help="facts with written answers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the studies here, and go on from them")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, facts = load_model(options.model, device="cpu"), read_facts(options.file).facts
    settings = replace(
        usual,
        facts=options.facts,
        at_a_time=options.at_a_time,
        methods=tuple(options.methods),
        modes=tuple(options.modes),
        strengths=tuple(options.strengths),
        rehearsed=options.rehearsed,
        locft_at=options.locft_at,
        written=options.written,
    )
    studies = [
        studied(model, facts, replace(settings, seed=seed), options.out) for seed in options.seeds
    ]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {model.name}, {options.file.name}\n")
    print(f"{studies[0].asked}\n\n{merged(studies)}\n")
    for study in studies:
        print(f"Seed {study.result.settings.seed}:\n")
        for sentence in study.result.sentences():
            print(f"- {sentence}")
        print()


if __name__ == "__main__":
    main()
