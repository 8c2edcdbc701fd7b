"""How the next token is chosen: greedily, or as a checkpoint's own generation settings say.

Invariant of the greedy way: of the checkpoint's settings only the tokens that end and fill answers
count, so that an answer depends on the weights and the prompt alone. Knows nothing about texts.
"""

import copy
import warnings
from collections.abc import Iterable
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from workbench.errors import ModelError, WorkbenchError
from workbench.model.language_model import LanguageModel
from workbench.model.memory import is_out_of_memory
from workbench.model.shipped import plain_generation, token_ids
from workbench.work.stop import Cancelled

__all__ = ["end_tokens", "greedy_tokens", "shipped_tokens", "shipped_words"]

SEED = 0
SAMPLING = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "top_h",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
)
# What says nothing of how an answer is chosen, or is overridden here.
SILENT = (
    *("_", "eos_", "pad_", "bos_", "do_sample", "transformers_version"),
    *("max_length", "max_new_tokens", "output_", "return_", "num_return", "use_cache"),
)
SHOWN = 30  # characters of one setting's value


def end_tokens(model: LanguageModel) -> set[int]:
    """The tokens that end an answer: the tokenizer's EOS and those the model itself names."""
    own = getattr(model.network, "generation_config", None)
    ends = set(token_ids(getattr(own, "eos_token_id", None)))
    return ends | set(token_ids(model.tokenizer.eos_token_id))


def greedy_tokens(
    model: LanguageModel,
    inputs: dict[str, torch.Tensor],
    room: int,
    ends: Iterable[int],
    padding: int,
    processors: LogitsProcessorList,
    criteria: StoppingCriteriaList | None,
) -> torch.Tensor:
    """Prompts and their greedy answers, as tokens.

    Args:
        model: with whatever weights are swapped in.
        inputs: the prompts' tokens and their mask.
        room: most tokens an answer has.
        ends: the tokens that end an answer.
        padding: what stands behind an answer that ended before others.
        processors, criteria: look at what goes on.
    """
    config = GenerationConfig(
        max_new_tokens=room,
        do_sample=False,
        num_beams=1,
        use_cache=model.answering.caches,
        eos_token_id=sorted(ends) or None,
        pad_token_id=padding,
    )
    with plain_generation(model.network):
        found: torch.Tensor = model.network.generate(
            **inputs,
            generation_config=config,
            logits_processor=processors,
            stopping_criteria=criteria,
        )
    return found


def shipped_tokens(
    model: LanguageModel,
    inputs: dict[str, torch.Tensor],
    room: int,
    ends: Iterable[int],
    padding: int,
    processors: LogitsProcessorList,
    criteria: StoppingCriteriaList | None,
) -> torch.Tensor:
    """One prompt and its answer by the checkpoint's own settings; what is drawn has a fixed seed.

    Args:
        model, inputs, room, ends, padding, processors, criteria: see `greedy_tokens`.

    Raises:
        ModelError: these settings cannot be used here.
    """
    config = _shipped_config(model)
    config.update(
        max_new_tokens=room,
        max_length=None,
        eos_token_id=sorted(ends) or None,
        pad_token_id=padding,
        num_return_sequences=1,
        return_dict_in_generate=False,
        output_scores=False,
        output_logits=False,
        output_attentions=False,
        output_hidden_states=False,
    )
    if not model.answering.caches:
        config.use_cache = False
    more: dict[str, Any] = {}
    if config.stop_strings or config.token_healing:
        more["tokenizer"] = model.tokenizer
    try:
        # A checkpoint's odd settings are warned of by the library, in words for programmers.
        with torch.random.fork_rng(), warnings.catch_warnings(), plain_generation(model.network):
            warnings.simplefilter("ignore")
            torch.manual_seed(SEED)
            found: torch.Tensor = model.network.generate(
                **inputs,
                generation_config=config,
                logits_processor=processors,
                stopping_criteria=criteria,
                **more,
            )
    except (WorkbenchError, Cancelled):
        raise
    except Exception as error:
        if is_out_of_memory(error) or getattr(error, "is_watchers", False):
            raise
        raise _cannot(model, str(error) or type(error).__name__) from error
    return found


def shipped_words(model: LanguageModel) -> str:
    """What the checkpoint's own settings are, such as ``as shipped · sampled · temperature 0.7``.

    Raises:
        ModelError: these settings cannot be used here.
    """
    config = _shipped_config(model)
    words = ["as shipped"]
    if config.do_sample:
        words.append(f"sampled, seed {SEED}")
    elif (config.num_beams or 1) == 1:
        words.append("greedy")
    words += [
        f"{name.replace('_', ' ')} {_written(value)}"
        for name, value in sorted(config.to_diff_dict().items())
        if not name.startswith(SILENT) and (config.do_sample or name not in SAMPLING)
    ]
    return " · ".join(words)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, int | float | str | list | dict):
        return "on"
    text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _shipped_config(model: LanguageModel) -> GenerationConfig:
    if model.shipped.problem:
        raise _cannot(model, model.shipped.problem)
    own = getattr(model.network, "generation_config", None)
    return copy.deepcopy(own) if own is not None else GenerationConfig()


def _cannot(model: LanguageModel, why: str) -> ModelError:
    line = why.strip().splitlines()[0][:200].rstrip(".: ")
    return ModelError(
        f"'{model.name}' cannot answer as it is shipped: {line}. Ask for its greedy answer "
        "instead, without 'as shipped'."
    )
