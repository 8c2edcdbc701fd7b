"""What transformers, the hub and the tokenizers raise, as one sentence that says what to do.

Whatever class of error they raise, a person gets the essential line of it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import transformers

from workbench.errors import MemoryShortage, ModelError, WorkbenchError
from workbench.model.loading.source import Source
from workbench.model.memory import is_out_of_memory

__all__ = ["essential_line", "explained", "printable", "shown"]

UPDATE = (
    f"Update transformers (here: {transformers.__version__}; pip install -U transformers), or "
    "choose another model"
)
KINDS = {
    "bool": "true or false",
    "dict": "a table",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "NoneType": "null",
    "str": "a text",
}
WRONG_KIND = re.compile(r"[Ff]ield '(\w+)'")
UNKNOWN = re.compile(
    r"not recognize|unrecognized|unknown|not supported|no attribute|one of|invalid", re.IGNORECASE
)
OFFLINE = {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectError", "ConnectionError"}
# Values of a config that are names of places, which an error may quote for another reason.
PLACES = ("_name_or_path", "transformers_version")


def explained(
    source: Source, error: BaseException, config: Mapping[str, Any] | None = None
) -> WorkbenchError:
    """The error that is shown for one that was raised while a model was loaded.

    Args:
        source: where the model comes from.
        error: what was raised.
        config: what the model's config.json says, when it has been read.
    """
    if isinstance(error, WorkbenchError):
        return error
    chain = _chain(error)
    kinds = {type(e).__name__ for e in chain}
    text = " ".join(str(e) for e in chain)
    if any(is_out_of_memory(e) for e in chain):
        return MemoryShortage(
            f"'{source.name}' does not fit in memory. Choose a smaller model, a smaller dtype, or "
            "another device."
        )
    if "trust_remote_code" in text:
        return ModelError(
            f"'{source.name}' comes with code of its own. Only if you trust its authors, allow it "
            "with trust_remote_code."
        )
    return (
        _wrong_value(source, error, text, config or {})
        or _of_the_hub(source, kinds, text)
        or ModelError(f"The model in '{source.name}' cannot be read: {essential_line(error)}")
    )


def essential_line(error: BaseException) -> str:
    """The line of an error's text that says what is wrong, without the names of classes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        lines = lines[1:]
    if not lines:
        return f"{type(error).__name__}."
    line = printable(re.sub(r"^\w+Error: ", "", lines[0]))
    if isinstance(error, KeyError):
        line = f"{line} is not known"
    elif isinstance(error, RecursionError):
        line = "something in it is nested too deep"
    return line if line.endswith((".", "!", "?")) else f"{line}."


def shown(value: Any) -> str:
    """A value of a config as it stands there, cut where it is long."""
    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 60 else f"{text[:60]}…"


def printable(text: str) -> str:
    """Text from a file, in one line: what does not print is spelled out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in chain:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    return chain


def _wrong_value(
    source: Source, error: BaseException, text: str, config: Mapping[str, Any]
) -> ModelError | None:
    """The value of the config that an error speaks of, where it speaks of one."""
    where = f"The config.json of '{source.name}'"
    if type(error).__name__.startswith("Strict"):
        field = WRONG_KIND.search(text)
        if field is not None and field[1] in config:
            kinds = re.findall(r"expected (?:a )?(\w+)", text)
            must = " or ".join(dict.fromkeys(KINDS[kind] for kind in kinds if kind in KINDS))
            value = shown(config[field[1]])
            return ModelError(
                f"{where} has {field[1]} {value}; it must be {must or 'of another kind'}."
            )
        return ModelError(f"{where} makes no sense: {essential_line(error)}")
    for name, value in _texts("", config):
        quoted = any(f"{q}{value}{q}" in text for q in "'\"`")
        if name not in PLACES and len(value) > 2 and quoted and _is_unknown(error, text):
            return ModelError(
                f"{where} has {name} {shown(value)}, which transformers does not know. {UPDATE}."
            )
    return None


def _is_unknown(error: BaseException, text: str) -> bool:
    return isinstance(error, KeyError) or UNKNOWN.search(text) is not None


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _texts(printable(f"{name}.{key}").lstrip("."), inside)


def _of_the_hub(source: Source, kinds: set[str], text: str) -> ModelError | None:
    """What the hub answered, where the model comes from there."""
    if "GatedRepoError" in kinds or "gated repo" in text:
        return ModelError(
            f"'{source.name}' is gated. Ask for access on its hub page, then log in with "
            "'hf auth login'."
        )
    if kinds & {"RepositoryNotFoundError", "HFValidationError"} or "not a valid model" in text:
        return ModelError(
            f"There is no model '{source.name}' on the hub, nor a folder of that name. Write "
            "'builtin', a hub id such as Qwen/Qwen2.5-0.5B, or the path of a folder."
        )
    if source.is_local:
        return None
    if "safetensors" in text:
        return ModelError(
            f"'{source.name}' has no safetensors weights, and nothing else is loaded. Choose a "
            "repository that has them."
        )
    if kinds & {"EntryNotFoundError", "RemoteEntryNotFoundError"}:
        return ModelError(
            f"'{source.name}' has no config.json on the hub: it may be an adapter, or GGUF files. "
            "Choose the repository of the model that it was made from."
        )
    if source.offline or kinds & OFFLINE or "couldn't connect" in text:
        return ModelError(
            f"'{source.name}' is not in this machine's cache and the hub cannot be reached. "
            "Connect to the network once, or choose a local folder or 'builtin'."
        )
    return None
