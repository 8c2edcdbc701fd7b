"""What usually enters a matrix, and what pulls at what leaves it: second moments, kept on disk.

The texts are those that a person gives, or else such as the model writes itself, so that nothing
has to be fetched: MEMIT (Meng et al., arXiv 2210.07229) takes Wikipedia. Invariant: a
moment is that of the base, and is kept under everything that it depends on.
"""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from workbench.errors import SettingsError
from workbench.measure.plain_text import text_table
from workbench.methods.kept_prompts import OPENINGS
from workbench.methods.matrices import added_to_outputs, adding_moments, inputs_of
from workbench.model.bypass import capture_output
from workbench.model.continuing import continued
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.part_digest import part_digest
from workbench.model.states import TOKENS_PER_PASS, kept_logits, run
from workbench.model.stoppable import stoppable
from workbench.model.tokens import TokenTable
from workbench.paths import cache_dir
from workbench.work.files import as_new_file
from workbench.work.stop import Stop

__all__ = ["Side", "usual_moments"]

Side = Literal["inputs", "gradients"]

WRITTEN = 96  # tokens of one text that the model writes
CHOICES = 50  # likeliest tokens from which it draws
TIMES_THE_WIDTH = 4  # so many tokens for each input of a matrix, so that no direction is missed
PASSAGE = 1_000  # characters of one passage of a given text
LARGEST_TEXT = 20_000_000  # bytes


def usual_moments(
    model: LanguageModel,
    matrices: Mapping[str, nn.Module],
    layers: Sequence[int],
    text: str,
    stop: Stop,
    *,
    of: Side = "inputs",
) -> Generator[tuple[int, int], None, dict[str, torch.Tensor]]:
    """The mean of k k^T over the inputs k that usual texts give some matrices.

    Of gradients, the mean of g g^T, where g is the gradient of the texts' loss, summed over tokens,
    at what leaves the matrix for one token: the other factor of a matrix's curvature by K-FAC
    (Martens and Grosse, arXiv 1503.05671).

    Args:
        model: the base, with no weights swapped in; where an edit stands in its place, the base
            is read all the same.
        matrices: the modules that multiply by them, by their tensors' names.
        layers: in which layer each of them is.
        text: a file of plain text; empty for what the model writes.
        stop: asked before every pass.
        of: which moments.

    Yields:
        Texts done so far, and how many there are.

    Returns:
        (inputs, inputs) by name, in float32; of gradients (outputs, outputs).

    Raises:
        Cancelled: somebody wants it to end.
        SettingsError: the file cannot be read; or gradients are asked of a model of which some
            layers are not in memory.
    """
    if of == "gradients" and model.stream is not None:
        raise SettingsError(
            "The curvature of a matrix needs a model that is in memory as a whole. Give it more "
            "memory, or choose another method."
        )
    passages = _given(text) if text else []
    rounds = _rounds(matrices)
    read = "\n".join(passages) if text else f"own {rounds} {WRITTEN} {CHOICES} {OPENINGS}"
    # What the model writes, and what pulls at a matrix, comes from the whole of it.
    below = text and of == "inputs"
    parts = [layer + 1 if below else model.layer_count for layer in layers]
    files = _files(model, dict(zip(matrices, parts, strict=True)), f"{of}\n{read}")
    kept = {name: moment for name, file in files.items() if (moment := _kept(file)) is not None}
    missing = {name: owner for name, owner in matrices.items() if name not in kept}
    if missing:
        total = len(passages) or 2 * rounds * len(OPENINGS)
        for number in range(0 if text else rounds):
            with model.unedited(), stoppable(model, stop):
                passages += continued(model, OPENINGS, tokens=WRITTEN, choices=CHOICES, seed=number)
            yield len(passages), total
        found = yield from _reading(model, passages, missing, max(layers), of, stop, total)
        for name, moment in found.items():
            _keep(files[name], moment)
        kept |= found
    return {name: kept[name].to(model.device) for name in matrices}


def _files(model: LanguageModel, parts: Mapping[str, int], read: str) -> dict[str, Path]:
    """Where each matrix's moment is kept, by how many layers it depends on and what was read."""
    with model.unedited():
        digests = {layers: part_digest(model, layers) for layers in set(parts.values())}
    keys = {
        name: sha256(f"{digests[layers]}\n{name}\n{read}".encode())
        for name, layers in parts.items()
    }
    folder = cache_dir() / "moments"
    return {name: folder / f"{key.hexdigest()[:32]}.safetensors" for name, key in keys.items()}


def _rounds(matrices: Mapping[str, nn.Module]) -> int:
    """How often the model goes on from all openings."""
    widest = max(map(inputs_of, matrices.values()))
    return -(-TIMES_THE_WIDTH * widest // (WRITTEN * len(OPENINGS)))


def _reading(
    model: LanguageModel,
    passages: Sequence[str],
    matrices: Mapping[str, nn.Module],
    last: int,
    of: Side,
    stop: Stop,
    total: int,
) -> Generator[tuple[int, int], None, dict[str, torch.Tensor]]:
    """Reads texts, some at a time, and adds up what was found."""
    table = text_table(model, passages)
    gradients = partial(_gradients, model, table, matrices)
    read = gradients if of == "gradients" else partial(_inputs, model, table, matrices, last)
    sums: dict[str, torch.Tensor] = {}
    order = sorted(range(len(table)), key=table.length)
    tokens, done = 0, total - len(table)

    size = max(1, TOKENS_PER_PASS // 4 // table.length(order[-1]))
    for rows, here in in_batches(order, size, model.device, read):
        stop.check()
        for name, moment in here.items():
            sums[name] = sums[name].add_(moment) if name in sums else moment
        tokens += sum(table.length(row) for row in rows)
        done += len(rows)
        yield max(0, done), total
    return {name: moment / tokens for name, moment in sums.items()}


@torch.no_grad()
def _inputs(
    model: LanguageModel,
    table: TokenTable,
    matrices: Mapping[str, nn.Module],
    last: int,
    rows: Sequence[int],
) -> dict[str, torch.Tensor]:
    """Sums over some texts of what enters, read up to the last layer of interest."""
    batch, here = table.batch(rows), dict[str, torch.Tensor]()
    with model.unedited(), adding_moments(matrices, [table.length(row) for row in rows], here):
        capture_output(model.layers[last], lambda: run(model, batch.input_ids))
    return here


def _gradients(
    model: LanguageModel, table: TokenTable, matrices: Mapping[str, nn.Module], rows: Sequence[int]
) -> dict[str, torch.Tensor]:
    """Sums over some texts of what pulls at what leaves, see `usual_moments`."""
    batch = table.batch(rows)
    with model.unedited(), torch.enable_grad(), added_to_outputs(matrices) as added:
        logits = kept_logits(model, batch, rows, None)
        loss = functional.cross_entropy(logits, batch.targets, reduction="sum")
        found = torch.autograd.grad(loss, list(added.values()))
    flat = [one.reshape(-1, one.shape[-1]).to(torch.float32) for one in found]
    return {name: one.T @ one for name, one in zip(added, flat, strict=True)}


def _given(path: str) -> list[str]:
    """A file's text in passages.

    Raises:
        SettingsError: it cannot be read, or holds none.
    """
    file = Path(path).expanduser()
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_TEXT:
            raise SettingsError(
                f"The text '{path}' is no file of at most {LARGEST_TEXT // 10**6} MB. Name a file "
                "of plain text, or leave it out."
            )
        content = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError(f"The text '{path}' cannot be read: {error.strerror}.") from error
    found = [
        line[start : start + PASSAGE].strip()
        for line in content.splitlines()
        for start in range(0, len(line), PASSAGE)
    ]
    passages = [passage for passage in found if len(passage) > 1]
    if not passages:
        raise SettingsError(f"The text '{path}' is empty. Name a file of plain text.")
    return passages


def _kept(file: Path) -> torch.Tensor | None:
    """A moment that was kept; None where there is none that can be read."""
    try:
        with safe_open(file, framework="pt") as opened:
            found: torch.Tensor = opened.get_tensor("moment")
            return found
    except (OSError, SafetensorError):
        return None


def _keep(file: Path, moment: torch.Tensor) -> None:
    """Keeps a moment where that is possible; else it is computed again next time."""
    beside = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file({"moment": moment.cpu().contiguous()}, beside)
        as_new_file(beside)
        beside.replace(file)
    except (OSError, SafetensorError):
        beside.unlink(missing_ok=True)
