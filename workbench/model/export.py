"""The edited model as a folder that plain transformers loads, made sure of before it is there.

Invariants: the folder is there whole, loaded once and found to answer as the model in memory does,
or not at all; the base is the base again afterwards, to the bit. Knows nothing about patches but
that they can be applied.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelError, PatchError
from workbench.model.base_files import TOKENIZER_FILES, base_files
from workbench.model.generate import Answer, generate
from workbench.model.hashing import tensor_hash
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.memory import free_memory, release_cache
from workbench.model.shipped import plain_generation
from workbench.model.tokens import prompt_tokens
from workbench.work.events import Progress, Work
from workbench.work.files import as_new_files, new_folder
from workbench.work.stop import Stop

__all__ = ["CHECKED", "Exported", "exporting", "require_in_memory", "write_model"]

CHECKED = 8
"""How many prompts are asked of the model in memory and of what was written."""

TIGHT = 1.2
"""How many times a model's size must be free, so that a second one is loaded beside it."""

SHARD = "5GB"
"""How large a file of weights becomes."""

PROMPTS = (
    "The capital of France is",
    "The author of Hamlet is",
    "Water is made of",
    "The opposite of hot is",
    "Two and two make",
    "The largest planet is",
    "A friend of mine said that",
    "The first day of the week is",
)
"""What is asked where nobody says what the edit is about."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A model that was written.

    Args:
        folder: where it is.
        checked: how many prompts it was asked, and answered as the model in memory did.
    """

    folder: Path
    checked: int


def require_in_memory(model: LanguageModel) -> None:
    """Makes sure that every weight of a model is there to be written.

    Raises:
        ModelError: layers are read from disk as they are needed.
    """
    if model.stream is not None:
        raise ModelError(
            f"{model.placement.told()}; such a model cannot be exported. Keep the patch, and "
            "export it where the model fits as a whole: with more --memory, or on another machine."
        )


def exporting(
    model: LanguageModel,
    applied: Callable[[LanguageModel], AbstractContextManager[None]],
    folder: str | Path,
    prompts: Sequence[str] = (),
    *,
    stop: Stop | None = None,
    dtype: torch.dtype | None = None,
    finish: Callable[[Path], object] | None = None,
) -> Work[Exported]:
    """Writes the edited model, loads what was written, and compares answers.

    Where memory does not hold two models, the one in memory makes room for the other, and shares
    its weights afterwards. When this fails, the first stays without weights (see
    `LanguageModel.is_whole`).

    Args:
        model: the base.
        applied: makes a block in which the edit is in the model.
        folder: a new folder.
        prompts: of facts that were edited; the first of them are asked.
        stop: the wish to end it, asked before every token.
        dtype: see `write_model`.
        finish: called with the folder before it is moved to its place, to add further files.

    Raises:
        Cancelled: somebody wanted it to end; no folder is left.
        PatchError: another base; the folder exists and is not empty, or cannot be written; or
            what was written does not load, or answers otherwise. No folder is left.
        ModelError: the model cannot be asked, or not all of it is in memory.
    """
    require_in_memory(model)
    place = Path(folder)
    asked = _askable(model, prompts) or list(PROMPTS)
    with new_folder(place) as beside, applied(model):
        yield Progress(0, 3, f"Asking {len(asked)} prompts")
        before = generate(model, asked, top_k=1, cancel=stop)
        yield Progress(1, 3, f"Writing the full model to {place}")
        write_model(model, beside) if dtype is None else write_model(model, beside, dtype)
        if finish is not None:
            finish(beside)
            as_new_files(beside)
        yield Progress(2, 3, "Loading what was written, and asking it the same")
        with _room_for_another(model) as take_over:
            written = _loaded(model, beside, place)
            _require_same(asked, before, generate(written, asked, top_k=1, cancel=stop), place)
            take_over(written)
    yield Progress(3, 3)
    return Exported(place, len(asked))


def write_model(model: LanguageModel, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Writes a model as it is now, with the tokenizer and settings that its checkpoint came with.

    Args:
        model: with whatever weights are swapped in.
        folder: is there.
        dtype: of what is written, where that changes no value of a tensor; None for that in
            memory.
    """
    network = model.network
    options: dict[str, Any] = {}
    if dtype not in (None, model.dtype):
        options["state_dict"] = _as_dtype(network.state_dict(), dtype)
    # Settings that transformers would refuse to write are written as they were, further down.
    with plain_generation(network):
        network.save_pretrained(folder, safe_serialization=True, max_shard_size=SHARD, **options)
    if options:
        _name_dtype(folder, model.dtype, dtype)
    _write_tokenizer(model, folder)
    model.shipped.write(network, folder)
    as_new_files(folder)


def _as_dtype(
    state: Mapping[str, torch.Tensor], dtype: torch.dtype | None
) -> dict[str, torch.Tensor]:
    """Tensors in another dtype, where that changes no value; what is shared stays shared."""
    made: dict[int, torch.Tensor] = {}
    for tensor in state.values():
        if tensor.is_floating_point() and tensor.data_ptr() not in made:
            narrow = tensor.to(dtype)
            same = torch.equal(narrow.to(tensor.dtype), tensor)
            made[tensor.data_ptr()] = narrow if same else tensor
    return {
        name: made[tensor.data_ptr()] if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }


def _name_dtype(folder: Path, old: torch.dtype, new: torch.dtype | None) -> None:
    """Has config.json name the dtype that was written."""
    file = folder / "config.json"
    was, now = (str(dtype).removeprefix("torch.") for dtype in (old, new))

    def renamed(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            key: now if key in ("dtype", "torch_dtype") and inner == was else renamed(inner)
            for key, inner in value.items()
        }

    said = renamed(json.loads(file.read_text("utf-8")))
    file.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _write_tokenizer(model: LanguageModel, folder: Path) -> None:
    """The tokenizer's files as they were; written anew where the base has none."""
    model.tokenizer.save_pretrained(folder)
    own = list(base_files(model, TOKENIZER_FILES))
    if not any(file.name in ("tokenizer.json", "tokenizer.model", "vocab.json") for file in own):
        return
    for pattern in TOKENIZER_FILES:
        for file in folder.glob(pattern):
            file.unlink()
    for file in own:
        shutil.copyfile(file, folder / file.name)


def _askable(model: LanguageModel, prompts: Sequence[str]) -> list[str]:
    """The first of some prompts that the model can read."""
    some = [prompt for prompt in prompts if prompt][: 4 * CHECKED]
    if not some:
        return []
    longest = model.longest or 1 << 30
    tokens = prompt_tokens(model.tokenizer, some)
    return [text for text, ids in zip(some, tokens, strict=True) if 0 < len(ids) < longest][
        :CHECKED
    ]


def _loaded(model: LanguageModel, beside: Path, place: Path) -> LanguageModel:
    """What was just written, computing attention as the model in memory does."""
    try:
        written = load_model(
            str(beside),
            device=str(model.device),
            dtype=str(model.dtype).removeprefix("torch."),
            trust_remote_code=type(model.network).__module__.startswith("transformers_modules"),
        )
    except ModelError as error:
        raise PatchError(
            "What was written does not load again, so that it was taken away: "
            f"{str(error).replace(str(beside), str(place))}"
        ) from error
    attention = model.network.config._attn_implementation
    if written.network.config._attn_implementation != attention:
        written.network.set_attn_implementation(attention)
    return written


def _require_same(
    asked: Sequence[str], before: Sequence[Answer], after: Sequence[Answer], place: Path
) -> None:
    for prompt, one, other in zip(asked, before, after, strict=True):
        if one.tokens != other.tokens:
            raise PatchError(
                f"The model that was written answers '{prompt}' with '{other.text}', the edited "
                f"model in memory with '{one.text}'. '{place}' was not made; go on with the patch "
                "itself."
            )


@contextmanager
def _room_for_another(model: LanguageModel) -> Iterator[Callable[[LanguageModel], None]]:
    """A block in which a copy of a model is loaded; where memory is short, the model gives way.

    Yields:
        What to call with the copy at the end: a model that gave way takes its weights over, when
        they are its own to the bit.
    """
    if free_memory(model.device) >= TIGHT * model.memory_bytes:
        yield lambda copy: None
        return
    own = dict(model.network.named_parameters())
    hashes = {name: tensor_hash(parameter) for name, parameter in own.items()}
    for parameter in own.values():
        parameter.data = torch.empty(0, dtype=parameter.dtype, device=parameter.device)
    release_cache(model.device)

    def take_over(copy: LanguageModel) -> None:
        theirs = dict(copy.network.named_parameters())
        for name, expected in hashes.items():
            if name not in theirs or tensor_hash(theirs[name]) != expected:
                raise PatchError(f"What was written holds other values of '{name}'.")
        for name, parameter in own.items():
            parameter.data = theirs[name].data

    try:
        yield take_over
    except PatchError as error:
        raise PatchError(
            f"{error} The model in memory had made room for it; load it again."
        ) from error
