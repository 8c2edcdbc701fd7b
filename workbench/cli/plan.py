"""`workbench plan`: what a run would take and where it would fit, by a model's config alone."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from workbench.cli.common import Json, print_json, say, screen, visible
from workbench.cli.options import command
from workbench.methods.plan_settings import PlanSettings
from workbench.model.choice import ModelChoice
from workbench.work.words import duration, quantity, size

if TYPE_CHECKING:
    from workbench.methods.plan_result import Plan, Step

__all__ = ["plan"]


@command("plan")
def plan(
    settings: PlanSettings,
    choice: ModelChoice,
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="The same as --model.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plans a run."""
    if model is not None:
        choice = replace(choice, name=model)

    from workbench.api import plan as made

    found = made(
        choice.name,
        settings,
        device=choice.device,
        dtype=choice.dtype,
        trust_remote_code=choice.trust_remote_code,
    )
    if as_json:
        print_json(found.as_dict())
        return
    _print_model(found)
    _print_memory(found)
    _print_fit(found)
    _print_time(found)


def _print_model(plan: "Plan") -> None:
    least, most = min(plan.layer_weights), max(plan.layer_weights)
    each = " to ".join(size(plan.bytes_each * weights) for weights in dict.fromkeys((least, most)))
    say(
        visible(
            f"{plan.model}: {plan.shape.layers} layers of {each}, {quantity(plan.parameters)} "
            f"weights, {size(plan.weights_bytes)} in {plan.dtype}."
        )
    )
    say(visible(f"Tuned: {', '.join(plan.step.at)} ({plan.place_from})."))
    say(
        f"{plan.facts:,} facts, {plan.tokens:,} tokens, {plan.batch_size} an update, at most "
        f"{plan.epochs} epochs."
    )


def _print_memory(plan: "Plan") -> None:
    step = plan.step
    head = "the head, which is the embedding" if plan.tied else "the head"
    table = Table("in every step", "", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    table.add_row(f"weights of layers {step.layer} and later, {head}", size(step.weights_bytes))
    table.add_row(
        f"{quantity(step.tuned_weights)} tuned: float32 master, gradient, Adam",
        size(step.tuned_bytes),
    )
    table.add_row(f"activations of {step.micro_batch_size} facts", size(step.activation_bytes))
    table.add_row("together", size(step.bytes))
    table.add_row("kept states, in memory or on disk", size(plan.states_bytes))
    screen().print(table)


def _print_fit(plan: "Plan") -> None:
    memory, whole = f"{size(plan.memory)} ({plan.memory_from})", size(plan.whole_bytes)
    if plan.fit == "whole":
        say(f"Fits into {memory}: with the whole model it is {whole}.")
        return
    say(
        f"With the whole model it is {whole}: more than {memory}. "
        + (
            f"What works in a step fits; the layers below {plan.step.layer} are read once, one by "
            "one."
            if plan.fit == "step"
            else "Nor does a step fit: layers would be read twice in every step, which is slow."
        )
    )
    if plan.fit == "step":
        return
    pieces = plan.fits_in_pieces_from
    if plan.fits_from is not None:
        say(f"A step fits from layer {_place(plan, plan.fits_from)}.")
    if pieces is not None and (plan.fits_from is None or pieces.layer < plan.fits_from.layer):
        say(f"With one fact on the device at once it fits from layer {_place(plan, pieces)}.")
    if pieces is None:
        say("It fits at no later layer.")


def _place(plan: "Plan", step: "Step") -> str:
    epoch = duration(plan.seconds(step.epoch_flops))
    return f"{step.layer} on: {size(step.bytes)}, an epoch in {epoch}"


def _print_time(plan: "Plan") -> None:
    step = plan.step
    below = (
        ""
        if not step.layer
        else (f"the layers below once in {duration(plan.seconds(step.prefix_flops))}, ")
    )
    epoch = plan.seconds(step.epoch_flops)
    most = plan.seconds(step.prefix_flops) + plan.epochs * epoch
    say(
        f"At {plan.flops / 1e12:.3g} TFLOP/s ({plan.flops_from}): {below}an epoch in "
        f"{duration(epoch)}, all {plan.epochs} in {duration(most)} at most."
    )
