"""`workbench probe` and `export`: what a patched model says, and the full model with it."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from workbench.cli.common import (
    Device,
    Dtype,
    Json,
    Model,
    PatchPath,
    Trust,
    load_base_and_patch,
    notes,
    print_json,
    require_new_folder,
    say,
    screen,
    visible,
)
from workbench.errors import SettingsError

__all__ = ["export", "probe"]


def probe(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT…", help="Texts to continue.")],
    patch: PatchPath = None,
    model: Model = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="Ask through the model's chat template.")
    ] = False,
    stop: Annotated[
        Literal["eos", "sentence"],
        typer.Option("--stop", help="Where an answer ends; sentence: also at '.' and newline."),
    ] = "eos",
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", help="Most tokens an answer has.")
    ] = 32,
    top_k: Annotated[
        int, typer.Option("--top-k", help="How many likeliest next tokens to report.")
    ] = 5,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Ask a model before and, with --patch, after an edit."""
    for prompt in prompts:
        # What a shell passes on in another encoding arrives as lone surrogates.
        if prompt != prompt.encode("utf-8", "ignore").decode():
            raise SettingsError(f"The prompt '{visible(prompt)}' is not UTF-8 text. Type it anew.")
    base, edit = load_base_and_patch(model, patch, device, dtype, trust_remote_code)

    from workbench.measure.probe import probe as ask

    found = ask(
        base, prompts, edit, chat=chat, stop=stop, max_new_tokens=max_new_tokens, top_k=top_k
    )
    if as_json:
        print_json(
            [
                {
                    "prompt": row.prompt,
                    "before": row.before.text,
                    "after": row.after.text if row.after else None,
                    "before_top": row.before.top,
                    "after_top": row.after.top if row.after else None,
                }
                for row in found
            ]
        )
        return
    table = Table("prompt", "before", *(["after"] if edit else []), box=None, pad_edge=False)
    for row in found:
        after = [row.after.text] if row.after else []
        table.add_row(*(Text(visible(text)) for text in (row.prompt, row.before.text, *after)))
    screen().print(table)


def export(
    patch: Annotated[Path, typer.Option("--patch", metavar="DIR", help="The folder of a patch.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The model's new folder.")],
    model: Model = None,
    device: Device = None,
    dtype: Dtype = None,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Write the edited model as a folder that plain transformers loads."""
    require_new_folder(out)
    base, edit = load_base_and_patch(model, patch, device, dtype, trust_remote_code)
    assert edit is not None
    with notes().status(f"Writing {out}"):
        folder = edit.export(base, out)
    if as_json:
        print_json({"model": base.name, "patch": str(patch), "folder": str(folder)})
    else:
        say(f"The edited model is in {folder}; transformers loads it from there.")
