"""Whether a folder is a model, told by the names of its files; what else it is, said in a line.

Reads no weights and imports no torch.
"""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import ModelError

__all__ = ["check_folder", "weight_files"]

ONE_FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
LOADER = "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T"


def check_folder(folder: Path) -> None:
    """Lets a folder pass that has a config.json and is no adapter.

    Raises:
        ModelError: it is not there, or something else; the message names the folder to choose or
            the command to run.
    """
    if not folder.is_dir():
        if folder.is_file():
            raise ModelError(f"'{folder}' is a file. Choose the folder that it lies in.")
        raise ModelError(f"There is no model folder '{folder}'. Check the path.")
    if (folder / "adapter_config.json").is_file():
        raise _adapter(folder)
    if (folder / "config.json").is_file():
        return
    raise (
        _hub_cache(folder)
        or _other_folder(folder)
        or ModelError(
            f"The folder '{folder}' holds no config.json, so it is not a Hugging Face model. "
            "Choose the folder that 'save_pretrained' wrote."
        )
    )


def weight_files(folder: Path, named: str | None = None) -> list[Path]:
    """The safetensors files that a model's weights are in, as transformers chooses them.

    Args:
        folder: a model's folder.
        named: the file that its config names, where it names one.

    Raises:
        ModelError: there are none, one is missing, or they are in another format.
    """
    single = folder / (named or ONE_FILE)
    if single.is_file() and single.suffix == ".safetensors":
        return [single]
    index = folder / INDEX
    if index.is_file():
        return _indexed(folder, index)
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    if others:
        raise ModelError(
            f"The folder '{folder}' holds {others[0]}, but neither {ONE_FILE} nor {INDEX}. Fetch "
            "or save the model again, whole."
        )
    raise _pickled(folder)


def _indexed(folder: Path, index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = [folder / name for name in names]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise ModelError(f"'{index}' cannot be read. Fetch or save the model again.") from error
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise ModelError(
            f"The folder '{folder}' lacks {missing[0]}"
            + (f" and {len(missing) - 1} more of its files" if len(missing) > 1 else "")
            + f", which {INDEX} names. Fetch the model again, whole."
        )
    return files


def _pickled(folder: Path) -> ModelError:
    says = f"The folder '{folder}' holds no *.safetensors file. Only safetensors are loaded; "
    here = shlex.quote(str(folder))
    if any(folder.glob("pytorch_model*.bin")):
        new = shlex.quote(f"{folder}-safetensors")
        return ModelError(
            f'{says}convert it once: python -c "{LOADER}; '
            f"[k.from_pretrained({_inside(folder)}).save_pretrained({_inside(folder, True)}) "
            f'for k in (M, T)]", and choose {new}.'
        )
    if any(folder.glob("consolidated*.pth")):
        return ModelError(
            f"{says}{here} has Meta's own format. Choose the repository of the same model that "
            "ends in -hf or says 'transformers'."
        )
    found = [path.name for kind in PICKLED for path in sorted(folder.glob(kind))]
    if found:
        return ModelError(
            f"{says}{found[0]} is what a training kept. Load it in the program that trained it, "
            "call save_pretrained there, and choose that folder."
        )
    return ModelError(f"{says}fetch the model again, with its weights.")


def _inside(folder: Path, new: bool = False) -> str:
    """A path as a Python string that can stand between a shell's double quotes."""
    text = repr(str(folder) + ("-safetensors" if new else ""))
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")


def _adapter(folder: Path) -> ModelError:
    base = _value(folder / "adapter_config.json", "base_model_name_or_path")
    of = f" of '{base}'" if base else ""
    if (folder / "config.json").is_file() and any(folder.glob("model*.safetensors")):
        return ModelError(
            f"The folder '{folder}' holds a model and an adapter{of} beside it. If the adapter is "
            "merged into the weights already, move adapter_config.json away; if not, merge it "
            "first."
        )
    return ModelError(
        f"The folder '{folder}' holds a PEFT adapter{of} alone, not a model. Merge it first: "
        'python -c "from peft import AutoPeftModelForCausalLM as M; '
        f"M.from_pretrained({_inside(folder)}).merge_and_unload().save_pretrained('merged')\", "
        "copy the tokenizer's files there, and choose that folder."
    )


def _value(path: Path, key: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None


def _hub_cache(folder: Path) -> ModelError | None:
    """What to choose instead of a folder that the hub's library keeps its files in."""
    repository = folder.parent if folder.name == "snapshots" else folder
    if repository.name.startswith("models--"):
        name = repository.name.removeprefix("models--").replace("--", "/", 1)
        snapshot = _snapshot(repository)
        there = f", or choose '{snapshot}'" if snapshot else ""
        return ModelError(
            f"The folder '{folder}' is where the hub's cache keeps {name}. Write {name}{there}."
        )
    for cache in (folder, folder / "hub"):
        names = [
            path.name.removeprefix("models--").replace("--", "/", 1)
            for path in sorted(cache.glob("models--*"))
        ]
        if names:
            return ModelError(
                f"The folder '{folder}' is the hub's cache, with {len(names)} "
                f"model{'' if len(names) == 1 else 's'} in it. Choose one by its name: "
                f"{_some(names)}."
            )
    return None


def _snapshot(repository: Path) -> Path | None:
    """The newest of a cached repository's states that has a config."""
    states = [path.parent for path in repository.glob("snapshots/*/config.json")]
    main = repository / "refs" / "main"
    if main.is_file():
        named = (
            repository / "snapshots" / main.read_text(encoding="utf-8", errors="replace").strip()
        )
        states = [named] if named in states else states
    return max(states, key=lambda path: path.stat().st_mtime, default=None)


def _other_folder(folder: Path) -> ModelError | None:
    """Which of the folders inside is meant, where some hold a model or an adapter."""
    inside = list(_models_inside(folder))
    checkpoints = {
        int(number): path
        for path in inside
        if (number := path.name.removeprefix("checkpoint-")).isdecimal()
    }
    if checkpoints:
        last = checkpoints[max(checkpoints)]
        return ModelError(
            f"The folder '{folder}' holds {len(checkpoints)} "
            f"checkpoint{'' if len(checkpoints) == 1 else 's'} of a training, not a model. Choose "
            f"one of them; the last is '{last}'."
        )
    if inside:
        return ModelError(
            f"The folder '{folder}' holds no config.json, but folders inside it do. Choose one: "
            + _some([f"'{path}'" for path in inside])
            + "."
        )
    return None


def _models_inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and any(
            (path / name).is_file() for name in ("config.json", "adapter_config.json")
        ):
            yield path


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
