"""What a checkpoint ships beside its weights: its config.json and generation_config.json.

Their flags say how somebody else wants the model to run and to answer. Here they are set aside:
a forward always returns an object with logits, an answer is greedy. An exported folder carries
them as they were. Knows nothing about weights.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils.hub import cached_file

from workbench.errors import ModelError

__all__ = ["Shipped", "plain_flags", "plain_generation", "read_shipped", "token_ids"]

CONFIG, GENERATION = "config.json", "generation_config.json"

PLAIN: dict[str, bool] = {
    "return_dict": True,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_router_logits": False,
    "torchscript": False,
}
"""How every forward runs, whatever a checkpoint's config.json says."""

# What save_pretrained knows better than the checkpoint: it tells of the weights just written.
OF_WEIGHTS = ("dtype", "torch_dtype", "quantization_config", "auto_map")


@dataclass(frozen=True)
class Shipped:
    """The settings that came with a model, as they were.

    Args:
        config: what config.json says; empty when it is not known.
        generation: the text of generation_config.json; None when there is none.
        from_files: whether both were read from a checkpoint; False for a model made in memory.
        problem: why the generation settings cannot be used; empty when they can.
    """

    config: dict[str, Any] = field(default_factory=dict)
    generation: str | None = None
    from_files: bool = False
    problem: str = ""

    @classmethod
    def of(cls, network: PreTrainedModel) -> "Shipped":
        """The settings of a model that is in memory already."""
        return cls(dict(network.config.to_diff_dict()))

    def generation_override(self) -> GenerationConfig | None:
        """What to load the model with in place of generation settings that cannot be used.

        Returns:
            Only the tokens that end and fill answers; None where the checkpoint's can be used.
        """
        if not self.problem:
            return None
        said = _object(self.generation or "") or self.config
        return GenerationConfig(
            eos_token_id=list(token_ids(said.get("eos_token_id"))) or None,
            pad_token_id=next(iter(token_ids(said.get("pad_token_id"))), None),
        )

    def write(self, network: PreTrainedModel, folder: Path) -> None:
        """Makes a folder that ``save_pretrained`` wrote carry these settings.

        Args:
            network: what was written.
            folder: where.
        """
        written = _object((folder / CONFIG).read_text("utf-8"))
        (folder / CONFIG).write_text(
            json.dumps(self._merged(written, network), indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        text = self.generation
        if not self.from_files and network.can_generate():
            text = json.dumps(network.generation_config.to_diff_dict(), indent=2) + "\n"
        if text is None:
            (folder / GENERATION).unlink(missing_ok=True)
        else:
            (folder / GENERATION).write_text(text, "utf-8")

    def _merged(self, written: dict[str, Any], network: PreTrainedModel) -> dict[str, Any]:
        """The checkpoint's config.json for the weights just written."""
        own = self.config
        names = own.get("architectures") or [type(network).__name__]
        if own.get("model_type") != written["model_type"] or type(network).__name__ not in names:
            # Only a part of the checkpoint was loaded, such as the language model of a larger one.
            flags = {key: own[key] for key in (*PLAIN, "use_cache") if key in own}
            return written | flags
        return {"architectures": written["architectures"]} | _fitted(own, written)


def _fitted(own: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """A config, and the configs in it, as they were, but for what tells of the weights."""
    found = {key: value for key, value in own.items() if key not in OF_WEIGHTS}
    found |= {key: written[key] for key in OF_WEIGHTS if key in written}
    if "torch_dtype" in own and "dtype" in found:
        # Older versions of transformers, which wrote it so, read it so.
        found["torch_dtype"] = found.pop("dtype")
    for key, value in found.items():
        theirs = written.get(key)
        if isinstance(value, dict) and isinstance(theirs, dict) and key.endswith("_config"):
            found[key] = _fitted(value, theirs)
    return found


def read_shipped(path: str, *, local_files_only: bool) -> Shipped:
    """Reads what a checkpoint ships beside its weights; what is missing or odd is no error.

    Args:
        path: a folder or a hub id.
        local_files_only: whether the network is left alone.
    """
    config, text = _text(path, CONFIG, local_files_only), _text(path, GENERATION, local_files_only)
    if config is None:
        return Shipped()
    problem = ""
    for name in (GENERATION, CONFIG) if text is not None else (CONFIG,):
        try:
            GenerationConfig.from_pretrained(
                path, config_file_name=name, local_files_only=local_files_only
            )
            break
        except OSError as error:
            # transformers goes on with config.json where this one cannot be read.
            problem = f"its {name} cannot be read" if name == GENERATION else str(error)
        except Exception as error:
            problem = (str(error).splitlines() or [type(error).__name__])[0]
            break
    return Shipped(_object(config), text, from_files=True, problem=problem)


def _text(path: str, name: str, local_files_only: bool) -> str | None:
    try:
        found = cached_file(
            path,
            name,
            local_files_only=local_files_only,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            _raise_exceptions_for_gated_repo=False,
        )
        return None if found is None else Path(found).read_text("utf-8", errors="replace")
    except (OSError, ValueError):  # neither a folder nor the name of a repository
        return None


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def token_ids(value: object) -> tuple[int, ...]:
    """The token ids that a setting names, which may be one, several, none, or nonsense."""
    some = value if isinstance(value, list | tuple) else [value]
    return tuple(one for one in some if isinstance(one, int) and not isinstance(one, bool))


def plain_flags(config: PreTrainedConfig) -> None:
    """Makes a config's forward return an object with logits, and nothing besides.

    The flags of configs inside it, such as that of the text model, too.
    """
    for name, value in PLAIN.items():
        if getattr(config, name, value) is not value:
            setattr(config, name, value)
    for name in getattr(config, "sub_configs", {}):
        inner = getattr(config, name, None)
        if isinstance(inner, PreTrainedConfig):
            plain_flags(inner)


@contextmanager
def plain_generation(network: PreTrainedModel) -> Iterator[None]:
    """A block in which a model's own generation settings are set aside.

    ``generate`` fills every setting that its caller leaves open from the model's own; in the
    block these hold nothing but the tokens that end and fill answers. A ``generate`` that the
    checkpoint's own code has put in its place is set aside, too. Invariant: after the block the
    model has its own again.

    Raises:
        ModelError: this model cannot generate.
    """
    own = getattr(network, "generation_config", None)
    if own is None:
        raise ModelError(
            f"{type(network).__name__} cannot write answers: it has no generation settings. "
            "Choose a decoder that continues text."
        )
    network.generation_config = GenerationConfig(
        bos_token_id=own.bos_token_id,
        eos_token_id=list(token_ids(own.eos_token_id)) or None,
        pad_token_id=next(iter(token_ids(own.pad_token_id)), None),
    )
    recipe = network.__dict__.pop("generate", None)
    try:
        yield
    finally:
        network.generation_config = own
        if recipe is not None:
            network.generate = recipe
