"""What stands in a report, as one JSON-ready dict that every form of it is written from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from workbench._version import __version__
from workbench.measure.evaluation import Evaluation
from workbench.measure.protocols import EVERY_MEASURE, PROTOCOLS, Measured, Protocol, metric_name
from workbench.measure.verdicts import QuestionVerdicts

__all__ = [
    "WORST",
    "build_report",
    "evaluation_part",
    "failure_rows",
    "numbers_of",
    "protocols_of",
]

WORST = 50


def build_report(
    *,
    evaluation: Mapping[str, Any],
    facts: Mapping[str, Any],
    model: str,
    command: str,
    run: Mapping[str, Any] | None = None,
    health: Mapping[str, Any] | None = None,
    capability: Mapping[str, Any] | None = None,
    studies: Iterable[Mapping[str, Any]] = (),
    versions: Mapping[str, str] | None = None,
    title: str = "",
) -> dict[str, Any]:
    """Puts a report together.

    Args:
        evaluation: see `evaluation_part`.
        facts: ``count``, ``digest``, and ``file`` where there is one.
        model: name of the base.
        command: what does the same on a command line.
        run: ``settings``, and where known ``losses``, ``epochs``, ``steps``, ``seconds``,
            ``reason``, ``why`` (why this location), ``created``; None without an edit.
        health: `Health.as_dict` with its ``sentence``.
        capability: `Capability.as_dict`.
        studies: each with ``kind``, ``rows``, ``sentences`` and ``settings``.
        versions: of the programs that measured it.
        title: None names model and facts.
    """
    return {
        "title": title or f"{facts.get('count', 0):,} facts in {model}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": model,
        "facts": dict(facts),
        "run": dict(run) if run else None,
        "evaluation": dict(evaluation),
        "health": dict(health) if health else None,
        "capability": dict(capability) if capability else None,
        "studies": [dict(study) for study in studies],
        "versions": {"workbench": __version__, **(versions or {})},
        "command": command,
    }


def evaluation_part(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation for a report: its shares, its groups and its first failures."""
    return {
        **evaluation.as_dict(),
        "groups": [group.as_dict() for group in evaluation.groups()],
        "failed": sum(row.failed for row in evaluation.rows),
        "failures": failure_rows(evaluation.rows),
    }


def failure_rows(rows: Iterable[QuestionVerdicts], most: int = WORST) -> list[dict[str, Any]]:
    """The first questions at which the edit failed, JSON-ready."""
    return [asdict(row) for row in rows if row.failed][:most]


def numbers_of(
    evaluation: Mapping[str, Any], protocol: Protocol
) -> list[tuple[str, Measured | None, Measured | None]]:
    """Each measure, form by form, before and after by one protocol; what was not judged is out."""
    intervals = evaluation["intervals"]
    found = []
    for measure in EVERY_MEASURE:
        name = metric_name(measure, protocol)
        sides = [
            Measured.from_dict(name, intervals[side][name])
            if name in intervals.get(side, {})
            else None
            for side in ("before", "after")
        ]
        if any(sides):
            found.append((measure, sides[0], sides[1]))
    return found


def protocols_of(evaluation: Mapping[str, Any]) -> list[Protocol]:
    """The protocols by which anything was judged."""
    return [protocol for protocol in PROTOCOLS if numbers_of(evaluation, protocol)]
