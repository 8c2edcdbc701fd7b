"""How the places to tune look, with what runs found there. Pure functions from data to HTML."""

from workbench.methods.estimate_record import RunEstimate
from workbench.model.location import Location
from workbench.model.presets import PAPER, Preset
from workbench.page.kit.html import button, pill, text
from workbench.store.runs import Run
from workbench.work.words import clock, quantity, share, size, small

__all__ = ["location_card", "location_grid"]

MEASURES = ("reliability", "generalization", "locality")


def location_grid(
    layers: int,
    matrices: tuple[str, ...],
    chosen: tuple[str, ...],
    preset: tuple[str, ...],
    runs: list[Run],
) -> str:
    """A grid of buttons: a row for each matrix and for the whole layer, a column for each layer.

    Args:
        layers: how many layers there are.
        matrices: names of the 2-D weights in a layer.
        chosen: locations that are tuned next.
        preset: locations of the model's preset.
        runs: finished runs, newest first; the newest at a place colours it.
    """
    measured: dict[str, float] = {}
    for run in reversed(runs):
        value = (run.metrics.get("after") or {}).get("generalization_strict")
        if value is not None:
            measured[",".join(run.settings.at)] = value
    rows = [*reversed(matrices), *_blocks(matrices), ""]
    cells = []
    for module in rows:
        cells.append(f'<div class="name">{text(module or "whole layer")}</div>')
        for layer in range(layers):
            cells.append(_cell(str(Location(layer, module)), chosen, preset, measured))
    cells.append('<div class="name">layer</div>')
    cells += [f'<div class="head">{layer}</div>' for layer in range(layers)]
    columns = f"grid-template-columns: max-content repeat({layers}, minmax(22px, 1fr))"
    return f'<div class="layer-grid" style="{columns}">{"".join(cells)}</div>'


def _blocks(matrices: tuple[str, ...]) -> list[str]:
    """The blocks in which several matrices lie, such as ``mlp``."""
    heads = [matrix.rpartition(".")[0] for matrix in matrices]
    return sorted({head for head in heads if head and heads.count(head) > 1})


def _cell(
    at: str, chosen: tuple[str, ...], preset: tuple[str, ...], measured: dict[str, float]
) -> str:
    value = measured.get(at)
    style, label, kind = "", "", "cell"
    if value is not None:
        kind += " measured"
        label = share(value)
        style = (
            f' style="background: color-mix(in srgb, var(--accent) {12 + 28 * value:.0f}%, '
            'var(--card))"'
        )
    if at in preset:
        kind += " preset"
    hint = f"{at}{', the preset' if at in preset else ''}"
    return (
        f'<button type="button" class="{kind}" data-do="choose" data-at="{text(at)}" '
        f'aria-pressed="{"true" if at in chosen else "false"}" aria-label="{text(hint)}" '
        f'title="{text(hint)}"{style}>{label}</button>'
    )


def location_card(
    chosen: tuple[str, ...],
    own_choice: bool,
    preset: Preset,
    runs: list[Run],
    estimate: RunEstimate | None,
) -> str:
    """What is known about the chosen place, against the others that runs have tried.

    Args:
        chosen: locations that are tuned next.
        own_choice: whether a person chose them; else they are the preset's.
        preset: the model's.
        runs: finished runs, newest first.
        estimate: what a run there takes; None while that is being measured.
    """
    source = "a guess" if preset.is_guess else "measured"
    mark = pill(source, "warn" if preset.is_guess else "on")
    preset_at = ", ".join(preset.at)
    if own_choice:
        why = f'<p class="quiet">Your choice. The preset is {text(preset_at)}.</p>'
        words = "Use the paper's" if preset.source == PAPER else "Use the preset"
        back = button(words, "preset", "small")
    else:
        why = f'<p class="quiet">{mark} {text(preset.name)}: {text(preset.source)}.</p>'
        back = ""
    at = text(", ".join(chosen))
    return (
        f'<div class="stack"><div><h2>Tune at <span class="mono">{at}</span></h2>{why}</div>'
        f'<p class="quiet">Learning rate there, unless you set one: '
        f'<span class="mono">{small(preset.learning_rate)}</span></p>'
        f"{_what_it_takes(estimate)}{_known(chosen, runs)}{back}</div>"
    )


def _what_it_takes(estimate: RunEstimate | None) -> str:
    """Weights, memory, time and kept states of a run at the chosen place."""
    if estimate is None or estimate.plan is None:
        return ""
    plan, seconds = estimate.plan, estimate.seconds
    figures = (
        ("weights tuned", quantity(plan.weights)),
        ("extra memory", size(plan.memory_bytes)),
        ("time at most", f"{seconds:.1f} s" if seconds < 60 else clock(seconds)),
        ("states kept", f"from layer {plan.kept_from}" if plan.kept_from else "no"),
    )
    cells = "".join(f"<div>{name}<b>{text(value)}</b></div>" for name, value in figures)
    return f'<div class="figures small">{cells}</div>'


def _known(chosen: tuple[str, ...], runs: list[Run]) -> str:
    """The newest run at each of a few places; the chosen one first."""
    newest: dict[tuple[str, ...], Run] = {}
    for run in runs:
        newest.setdefault(run.settings.at, run)
    places = sorted(newest, key=lambda at: at != chosen)[:4]
    if not places:
        return '<p class="quiet">No run yet: what a run finds out is compared here.</p>'
    head = "".join(f'<th class="num">{measure}</th>' for measure in MEASURES)
    body = "".join(
        f'<tr class="{"chosen" if at == chosen else ""}"><td><span class="mono">'
        f'{text(", ".join(at))}</span><br><span class="quiet">{text(newest[at].name)}</span></td>'
        + "".join(_measured(newest[at], f"{measure}_strict") for measure in MEASURES)
        + "</tr>"
        for at in places
    )
    return (
        f'<div class="scroll"><table class="grid-table"><tr><th>strict</th>{head}</tr>{body}'
        "</table></div>"
    )


def _measured(run: Run, name: str) -> str:
    value = (run.metrics.get("after") or {}).get(name)
    low = " red" if value is not None and value < 0.5 else ""
    return f'<td class="num{low}">{share(value)}</td>'
