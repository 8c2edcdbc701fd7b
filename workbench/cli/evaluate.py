"""`workbench evaluate`: did an edit work, what did it break, and a report to hand on."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from workbench.cli.common import (
    Device,
    Dtype,
    FactsPath,
    Json,
    Model,
    PatchPath,
    Trust,
    load_base_and_patch,
    notes,
    print_json,
    read_reported,
    say,
    screen,
    visible,
)
from workbench.facts.fact import facts_digest
from workbench.recipe.errors import SettingsError
from workbench.report.contents import build_report, evaluation_part, numbers_of, protocols_of
from workbench.report.write import require_form, write_report

if TYPE_CHECKING:
    from workbench.engine.language_model import LanguageModel
    from workbench.engine.patch import Patch
    from workbench.recipe.measured import Measured

__all__ = ["evaluate"]

SHOWN = 5


def evaluate(
    file: FactsPath,
    patch: PatchPath = None,
    model: Model = None,
    written: Annotated[
        int | None,
        typer.Option(
            "--written",
            help="For how many facts, drawn by --seed, answers are written (generated, and "
            "locality as unchanged); 0 for none; empty: all.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws facts and resamples.")] = 0,
    health: Annotated[
        bool, typer.Option("--health", help="Also look at the writing: entropy, perplexity.")
    ] = False,
    capability: Annotated[
        list[str] | None,
        typer.Option(
            "--capability",
            metavar="TASK",
            help="builtin, paper, or a task of lm-evaluation-harness; repeatable.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Most items of a capability task; empty: all.")
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Let capability tasks download their data.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Also write a report: .html, .md or .json; repeatable."
        ),
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Measure reliability, generalization, locality, portability and more, before and after."""
    if written is not None and written < 0:
        raise SettingsError(f"written is {written}; it must be 0 or more, or empty for all facts.")
    for path in report or ():
        require_form(path)
    found = read_reported(file)
    base, edit = load_base_and_patch(model, patch, device, dtype, trust_remote_code)
    wanted = _Wanted(written, seed, health, tuple(capability or ()), limit, network)
    parts = _measure(base, edit, list(found.facts), wanted)
    whole = build_report(
        **parts,
        facts={
            "count": len(found.facts),
            "digest": facts_digest(found.facts),
            "file": file.name,
        },
        model=base.name,
        run=_run_of(edit),
        versions=_versions(edit),
        command=wanted.command(file, patch, model),
    )
    for path in report or ():
        write_report(whole, path)
    if as_json:
        print_json({**parts["evaluation"], **{k: v for k, v in parts.items() if k != "evaluation"}})
        return
    _print(parts)
    for path in report or ():
        say(f"The report is in {path}.")


class _Wanted:
    """What is to be measured besides the three measures."""

    def __init__(
        self,
        written: int | None,
        seed: int,
        health: bool,
        capability: tuple[str, ...],
        limit: int | None,
        network: bool,
    ) -> None:
        self.written, self.seed, self.health = written, seed, health
        self.capability, self.limit, self.network = capability, limit, network

    def command(self, file: Path, patch: Path | None, model: str | None) -> str:
        """The command that does the same."""
        words = ["workbench", "evaluate", str(file)]
        for option, value in (("--patch", patch), ("--model", model), ("--written", self.written)):
            words += [option, str(value)] if value is not None else []
        words += ["--seed", str(self.seed)] if self.seed else []
        words += ["--health"] if self.health else []
        for task in self.capability:
            words += ["--capability", task]
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        words += ["--network"] if self.network else []
        return shlex.join(words)


def _measure(
    base: "LanguageModel", edit: "Patch | None", facts: list[Any], wanted: _Wanted
) -> dict[str, Any]:
    """All that was asked for, each part under its name."""
    from workbench.engine.capability import measure_capability
    from workbench.engine.evaluate import evaluate as measure
    from workbench.engine.health import measure_health

    parts: dict[str, Any] = {}
    with notes().status(f"Asking {len(facts)} facts") as status:

        def show(done: int, total: int) -> None:
            status.update(f"Asking {len(facts)} facts, {done / max(1, total):.0%}")

        found = measure(
            base, facts, edit, written=wanted.written, seed=wanted.seed, on_progress=show
        )
        parts["evaluation"] = evaluation_part(found)
        if wanted.health:
            status.update("Looking at the writing")
            health = measure_health(base, facts, edit, seed=wanted.seed)
            parts["health"] = {**health.as_dict(), "sentence": health.sentence}
        if wanted.capability:
            parts["capability"] = measure_capability(
                base,
                wanted.capability,
                edit,
                facts=facts,
                limit=wanted.limit,
                network=wanted.network,
                seed=wanted.seed,
                on_progress=lambda done, steps, task: status.update(
                    f"General capability, {done} of {steps}: {task}"
                ),
            ).as_dict()
    return parts


def _run_of(edit: "Patch | None") -> dict[str, Any] | None:
    if edit is None:
        return None
    known = ("settings", "created")
    return {name: edit.metadata[name] for name in known if name in edit.metadata}


def _versions(edit: "Patch | None") -> dict[str, str]:
    import torch
    import transformers

    found = {"torch": torch.__version__, "transformers": transformers.__version__}
    if edit is not None:
        made = edit.metadata.get("versions", {})
        found |= {f"{name} of the patch": str(version) for name, version in made.items()}
    return found


def _print(parts: dict[str, Any]) -> None:
    evaluation = parts["evaluation"]
    for protocol in protocols_of(evaluation):
        edited = evaluation["after"] is not None
        heads = ["measure", "before", *(["after"] if edited else []), "90% interval", "asked"]
        table = Table(*heads, box=None, pad_edge=False)
        for _, before, after in numbers_of(evaluation, protocol):
            last = after or before
            assert last is not None
            sides = [_value(before), *([_value(after)] if edited else [])]
            table.add_row(last.name, *sides, f"{last.low:.3f}–{last.high:.3f}", f"{last.count:,}")
        screen().print(table)
    counts = evaluation["counts"]
    say(
        f"{counts['facts']} facts, {counts['rephrase_prompts']} rephrases, "
        f"{counts['locality_prompts']} locality prompts, {counts['portability_prompts']} "
        f"portability prompts. {evaluation['sentence']}"
    )
    if evaluation["after"] is not None and evaluation["failed"]:
        say(f"{evaluation['failed']} questions failed, the first of them:")
        for row in evaluation["failures"][:SHOWN]:
            said = row["said_after"] if row["said_after"] is not None else "not written"
            wanted = "as before" if row["role"] == "locality" else row["wanted"]
            say(visible(f"  {row['prompt']} -> {said} (wanted {wanted})"))
    for name in ("health", "capability"):
        if name in parts:
            say(visible(parts[name]["sentence"]))


def _value(number: "Measured | None") -> str:
    return "–" if number is None else f"{number.value:.3f}"
