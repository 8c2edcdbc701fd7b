"""`workbench edit`: facts in, a patch out, by any method.

The first Ctrl-C ends the run between two steps and keeps a checkpoint beside the patch's folder;
``--resume`` goes on from there to the same patch.
"""

import json
import shlex
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.common import (
    STOPPED,
    Columns,
    Encoding,
    FactsPath,
    Json,
    choice_for,
    load,
    notes,
    print_json,
    read_reported,
    require_new_folder,
    say,
    visible,
)
from workbench.cli.options import command
from workbench.cli.sharing import (
    agreed,
    claiming,
    processes,
    require_alone,
    shared,
    with_own_device,
)
from workbench.cli.terminal import watched
from workbench.errors import RankLost, SettingsError
from workbench.facts.fact import facts_digest
from workbench.facts.read import FactFile
from workbench.methods.base import MethodRun, find_method
from workbench.methods.brought import left_out
from workbench.methods.events import EpochDone, Judged, Stopped
from workbench.model.choice import ModelChoice
from workbench.work.events import Event
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.methods.edit import EditResult
    from workbench.methods.onto import Onto
    from workbench.model.ranks import Ranks
    from workbench.model.states_store import StatesStore

__all__ = ["edit"]

SHOWN = 10
KEPT_EVERY = 60.0  # seconds between two checkpoints of a run that several processes share


OntoPatch = Annotated[
    Path | None,
    typer.Option("--onto", metavar="PATCH", help="An earlier patch, to which facts are added."),
]
EarlierFacts = Annotated[
    Path | None,
    typer.Option("--earlier", metavar="FACTS", help="The file of facts that --onto was made of."),
]
Way = Annotated[
    str,
    typer.Option(
        "--way",
        metavar="recompile|continue",
        help="How facts are added to --onto: all facts anew, or from the patch on; empty: "
        "LocFT-BF recompiles, others continue.",
    ),
]
Rehearsed = Annotated[
    int | None,
    typer.Option(
        "--rehearsed",
        metavar="<int>",
        help="Facts of --earlier that are trained again beside new ones when it continues; "
        "empty: as many as there are new ones, by LocFT-BF, LoRA and CrispEdit.",
    ),
]


TellingTo = Annotated[Path | None, typer.Option("--events", hidden=True)]
KeptAt = Annotated[Path | None, typer.Option("--checkpoint", hidden=True)]


@command("edit")
def edit(
    file: FactsPath,
    settings: SettingsRecord,
    method: str,
    choice: ModelChoice,
    named: bool,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The patch's new folder.")],
    columns: Columns = None,
    encoding: Encoding = "",
    onto: OntoPatch = None,
    earlier: EarlierFacts = None,
    way: Way = "",
    rehearsed: Rehearsed = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    as_json: Json = False,
    events: TellingTo = None,
    kept_at: KeptAt = None,
) -> None:
    """Compiles the facts of a file."""
    if not find_method(method).shares:
        require_alone(f"method {method}")
    stop = Stop()
    checkpoint = kept_at or out.with_name(out.name + ".checkpoint.safetensors")
    states = out.with_name(out.name + ".states")

    def looked_at() -> FactFile:
        require_new_folder(out)
        _require_patch(onto, earlier, way, rehearsed)
        return read_reported(file, columns, encoding)

    # What is wrong with them is said at once, before torch is loaded.
    early = looked_at() if processes() == 1 else None
    with shared(stop) as ranks:
        from workbench.methods.onto import start_run

        def prepared() -> MethodRun:
            found = early if early is not None else looked_at()
            basis = _onto(onto, earlier, way, rehearsed) if onto is not None else None
            asked = choice_for(choice, named, basis.patch if basis else None)
            chosen, base = find_method(method), load(with_own_device(asked))
            known: dict[str, Any] = {} if ranks.alone else {"ranks": ranks}
            if chosen.keeps and base.placement.streamed:
                known["store"] = _store(states, ranks)
            what = chosen, base, found.facts, settings, basis
            went = checkpoint if resume else None
            return start_run(*what, stop=stop, checkpoint=went, **known)

        run = agreed(ranks, prepared)
        _print_left_out(run)
        telling = _Telling(events if ranks.leads else None)
        result = _done(run, ranks, checkpoint, as_json, telling)
        if not ranks.leads:
            return
        result.patch.save(out)
        telling.take(Judged(result.learned, result.learned_in))
        checkpoint.unlink(missing_ok=True)
        shutil.rmtree(states, ignore_errors=True)
    report = _report(run, result, out)
    print_json(report) if as_json else _print(report, file)


def _print_left_out(run: "MethodRun") -> None:
    for sentence in left_out(run.facts, run.settings):
        notes().print(visible(sentence), markup=False, soft_wrap=True)


def _require_patch(
    onto: Path | None, earlier: Path | None, way: str, rehearsed: int | None
) -> None:
    """Refuses what belongs to ``--onto`` without it.

    Raises:
        SettingsError: it stands alone.
    """
    if onto is None and (earlier is not None or way or rehearsed is not None):
        raise SettingsError("--earlier, --way and --rehearsed belong to --onto. Name a patch.")


def _onto(patch: Path, earlier: Path | None, way: str, rehearsed: int | None) -> "Onto":
    """What ``--onto`` and its companions say.

    Raises:
        WorkbenchError: there is no such patch or file, or a value makes no sense.
    """
    from workbench.methods.onto import Onto
    from workbench.model.patch import Patch

    before = Patch.load(patch)
    facts = tuple(read_reported(earlier).facts) if earlier is not None else ()
    if facts and facts_digest(facts) != before.metadata["facts_digest"]:
        notes().print(
            f"The facts of {earlier} are not just those that {patch} was made of.",
            markup=False,
            soft_wrap=True,
        )
    return Onto(before, facts, way, rehearsed)  # type: ignore[arg-type]  # it looks itself


def _store(folder: Path, ranks: "Ranks") -> "StatesStore":
    """Where the states of a model that is read layer by layer outlive a run that is broken off."""
    from workbench.model.states_store import StatesStore

    return StatesStore(folder if ranks.alone else folder / str(ranks.number))


class _Telling:
    """Writes events as lines of JSON, for a program that started this one.

    Args:
        path: of the file; None writes none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def take(self, event: Event) -> None:
        """Writes an event."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(event.as_dict(), ensure_ascii=False) + "\n")


def _done(
    run: MethodRun, ranks: "Ranks", checkpoint: Path, as_json: bool, telling: _Telling
) -> "EditResult":
    """Does the run; where it does not come to its end, what was done is kept."""
    from workbench.methods.edit import editing

    stopped: list[Stopped] = []
    done, kept = 0, time.monotonic()

    def note(event: Event) -> None:
        nonlocal done, kept
        if isinstance(event, Stopped):
            stopped.append(event)  # is told once the checkpoint is there
        else:
            telling.take(event)
        if isinstance(event, EpochDone):
            done = event.epoch
            # A process that is gone may take the others with it before they can keep anything.
            if ranks.leads and not ranks.alone and time.monotonic() - kept > KEPT_EVERY:
                run.save_checkpoint(checkpoint)
                kept = time.monotonic()

    try:
        result = watched(f"Editing {run.model.name}", editing(run), run.stop, keep=note)
    except RankLost as error:
        with claiming(ranks, checkpoint) as is_mine:
            if not is_mine:
                sys.exit(2)
            run.save_checkpoint(checkpoint)
        raise RankLost(
            f"{error} Stopped after {done} epochs. The same command with --resume goes on from "
            f"{checkpoint}."
        ) from error
    if result is None:
        if ranks.leads:
            _keep_stopped(run, stopped[-1], checkpoint, as_json)
            telling.take(stopped[-1])
        raise typer.Exit(STOPPED)
    return result


def _keep_stopped(run: MethodRun, last: Stopped, checkpoint: Path, as_json: bool) -> None:
    """Keeps what was done so far, and says how to go on."""
    how = "Runs of this method cannot go on."
    if run.can_resume:
        run.save_checkpoint(checkpoint)
        how = f"The same command with --resume goes on from {checkpoint}."
    notes().print(
        f"Stopped after {last.epoch} of {last.epochs} epochs. {how}", markup=False, soft_wrap=True
    )
    if as_json:
        print_json({"stopped": True, "epochs": last.epoch, "checkpoint": str(checkpoint)})


def _report(run: MethodRun, result: "EditResult", out: Path) -> dict[str, Any]:
    """All there is to tell about a run, JSON-ready."""
    missed = [f for f, right in zip(run.facts, result.learned, strict=True) if not right]
    return {
        "facts": len(run.facts),
        **({"onto": result.patch.metadata["onto"]} if "onto" in result.patch.metadata else {}),
        **asdict(result.finished),
        "reliability_strict": result.reliability_strict,
        "method": result.patch.metadata["method"],
        "at": result.patch.metadata["at"],
        "model": run.model.name,
        "settings": result.settings.as_dict(),
        "not_learned": [{"prompt": f.prompt, "target_new": f.target_new} for f in missed],
        "patch": str(out),
    }


def _advice(settings: dict[str, Any]) -> str:
    """What to change, of what the method can be set to."""
    if "epochs" in settings:
        return "More --epochs, a higher --lr or another --at"
    place = next((f"--{name}" for name in ("at", "layers") if name in settings), "")
    if not place:
        return "Other settings of this method, or another method"
    return f"Another {place}, other settings of this method, or another method"


def _print(report: dict[str, Any], file: Path) -> None:
    where = f"at {', '.join(report['at'])} of" if report["at"] else "before the prompts of"
    say(
        f"{report['facts']} facts {where} {report['model']}: "
        f"{report['reliability_strict']:.1%} learned (strict), {report['epochs']} epochs, "
        f"{report['steps']} steps, {report['seconds']:.1f} s."
    )
    for fact in report["not_learned"][:SHOWN]:
        say(visible(f"  not learned: {fact['prompt']} -> {fact['target_new']}"))
    if len(report["not_learned"]) > SHOWN:
        say(f"  … and {len(report['not_learned']) - SHOWN} more; --json lists all.")
    if report["not_learned"]:
        say(f"  {_advice(report['settings'])} may learn them.")
    patch = shlex.quote(report["patch"])
    say(f"The patch is in {report['patch']}. What next:")
    say(f"  workbench evaluate {shlex.quote(str(file))} --patch {patch}")
    say(f'  workbench probe "YOUR PROMPT" --patch {patch}')
