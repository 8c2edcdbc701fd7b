"""`workbench edit`: facts in, a patch out.

The first Ctrl-C ends the run between two batches and keeps a checkpoint beside the patch's
folder; ``--resume`` goes on from there to the same patch.
"""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.common import (
    Columns,
    Device,
    Dtype,
    FactsPath,
    Json,
    Model,
    Trust,
    load,
    notes,
    print_json,
    read_reported,
    require_new_folder,
    say,
    visible,
)
from workbench.cli.interrupt import STOPPED, stopping_on_interrupt
from workbench.cli.progress import progress_line
from workbench.facts.fact import Fact
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings, Pipeline

if TYPE_CHECKING:
    from workbench.methods.locft_bf import Edit

__all__ = ["edit"]

HELP = EditSettings.help()
DEFAULTS = EditSettings()
SHOWN = 10


def edit(
    file: FactsPath,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The patch's new folder.")],
    columns: Columns = None,
    model: Model = None,
    at: Annotated[list[str] | None, typer.Option("--at", help=HELP["at"])] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr", help=HELP["learning_rate"])] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help=HELP["batch_size"])] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help=HELP["epochs"])] = None,
    pipeline: Annotated[
        Pipeline, typer.Option("--pipeline", help=HELP["pipeline"])
    ] = DEFAULTS.pipeline,
    seed: Annotated[int, typer.Option("--seed", help=HELP["seed"])] = DEFAULTS.seed,
    skip_loss: Annotated[
        float, typer.Option("--skip-loss", help=HELP["skip_loss"])
    ] = DEFAULTS.skip_loss,
    stop_loss: Annotated[
        float, typer.Option("--stop-loss", help=HELP["stop_loss"])
    ] = DEFAULTS.stop_loss,
    micro_batch_size: Annotated[
        int | None, typer.Option("--micro-batch-size", help=HELP["micro_batch_size"])
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compile the facts of a file into a patch of a model."""
    settings = EditSettings(
        at=tuple(at or ()),
        learning_rate=learning_rate,
        batch_size=batch_size,
        epochs=epochs,
        pipeline=pipeline,
        seed=seed,
        skip_loss=skip_loss,
        stop_loss=stop_loss,
        micro_batch_size=micro_batch_size,
    )
    require_new_folder(out)
    found = read_reported(file, columns)
    base = load(model, device, dtype, trust_remote_code)

    from workbench.methods.locft_bf import Edit

    checkpoint = out.with_name(out.name + ".checkpoint.safetensors")
    run = Edit(base, found.facts, settings, checkpoint=checkpoint if resume else None)
    with stopping_on_interrupt(run.stop):
        last = _follow(run, base.name)
    if isinstance(last, events.Stopped):
        _keep_stopped(run, last, checkpoint, as_json)
        raise typer.Exit(STOPPED)
    report = _save(run, last, out)
    checkpoint.unlink(missing_ok=True)
    print_json(report) if as_json else _print(report, file)


def _keep_stopped(run: "Edit", last: events.Stopped, checkpoint: Path, as_json: bool) -> None:
    """Keeps what was done so far, and says how to go on."""
    run.save_checkpoint(checkpoint)
    notes().print(
        f"Stopped after {last.epoch} of {last.epochs} epochs. The same command with --resume "
        f"goes on from {checkpoint}.",
        markup=False,
        soft_wrap=True,
    )
    if as_json:
        print_json({"stopped": True, "epochs": last.epoch, "checkpoint": str(checkpoint)})


def _follow(run: "Edit", model: str) -> events.Finished | events.Stopped:
    """Runs to the end, with a line of progress on a terminal."""
    with progress_line(f"Editing {model}") as line:
        for event in run.events():
            match event:
                case events.Started():
                    line.update(total=event.epochs, completed=event.resumed_epoch)
                case events.StatesProgress():
                    state = f"hidden states {event.done}/{event.facts}"
                    line.update(state=state)
                case events.EpochDone():
                    state = f"loss {event.loss:.3f}, {event.learned:.0%} learned"
                    line.update(completed=event.epoch, state=state)
                case events.MicroBatchHalved():
                    line.say(
                        f"Memory ran out; going on with {event.size} facts at once. The updates "
                        "stay the same."
                    )
                case events.Finished() | events.Stopped():
                    return event
    raise AssertionError("a run ends with Finished or Stopped")


def _save(run: "Edit", finished: events.Finished | events.Stopped, out: Path) -> dict[str, Any]:
    """Saves the patch and gathers what there is to tell about the run."""
    assert isinstance(finished, events.Finished)
    learned = run.learned()
    reliability = sum(learned) / len(learned)
    patch = run.patch({"reliability_strict": reliability})
    patch.save(out)
    missed: list[Fact] = [f for f, right in zip(run.facts, learned, strict=True) if not right]
    return {
        "facts": len(run.facts),
        **asdict(finished),
        "reliability_strict": reliability,
        "at": list(run.settings.at),
        "model": run.model.name,
        "settings": run.settings.as_dict(),
        "not_learned": [{"prompt": f.prompt, "target_new": f.target_new} for f in missed],
        "patch": str(out),
    }


def _print(report: dict[str, Any], file: Path) -> None:
    say(
        f"{report['facts']} facts at {', '.join(report['at'])} of {report['model']}: "
        f"{report['reliability_strict']:.1%} learned (strict), {report['epochs']} epochs, "
        f"{report['steps']} steps, {report['seconds']:.1f} s."
    )
    for fact in report["not_learned"][:SHOWN]:
        say(visible(f"  not learned: {fact['prompt']} -> {fact['target_new']}"))
    if len(report["not_learned"]) > SHOWN:
        say(f"  … and {len(report['not_learned']) - SHOWN} more; --json lists all.")
    if report["not_learned"]:
        say("  More --epochs, a higher --lr or another --at may learn them.")
    patch = shlex.quote(report["patch"])
    say(f"The patch is in {report['patch']}. What next:")
    say(f"  workbench evaluate {shlex.quote(str(file))} --patch {patch}")
    say(f'  workbench probe "YOUR PROMPT" --patch {patch}')
