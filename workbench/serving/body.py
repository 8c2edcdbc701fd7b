"""What a client asks for, read from the body of its request.

Everything is checked here: a field that is not understood where it would change the answer is
refused, never passed over. Knows nothing about models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.serving.wrong import Wrong
from workbench.work.settings import is_number, is_whole

__all__ = ["Asked", "Message", "Prompt", "Sampling", "read_chat", "read_completion"]

Prompt = str | tuple[int, ...]
"""A text, or its tokens."""
Message = dict[str, str]

MOST_CHOICES = 128
MOST_ANSWERS = 8192
MOST_TOP = 20
COMPLETION_TOKENS = 16  # as OpenAI has it, where nobody says how many

# What would change an answer and is not done here; the values that ask for nothing.
_NOTHING: dict[str, tuple[Any, ...]] = {
    "best_of": (None, 1),
    "suffix": (None, ""),
    "tools": (None, []),
    "functions": (None, []),
    "response_format": (None, {"type": "text"}),
    "top_k": (None, 0, -1),
    "min_p": (None, 0),
    "repetition_penalty": (None, 1),
    "min_tokens": (None, 0),
    "ignore_eos": (None, False),
    "stop_token_ids": (None, []),
    "allowed_token_ids": (None, []),
    "bad_words": (None, []),
    "use_beam_search": (None, False),
    "truncate_prompt_tokens": (None,),
    "add_special_tokens": (None, True),
    "chat_template": (None,),
    "chat_template_kwargs": (None, {}),
    "add_generation_prompt": (None, True),
    "continue_final_message": (None, False),
    "structured_outputs": (None,),
    "guided_json": (None,),
    "guided_regex": (None,),
    "modalities": (None, ["text"]),
    "audio": (None,),
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is written.

    Args:
        max_tokens: most that it has; None for as many as fit.
        temperature: 0 for the likeliest token each time.
        top_p: only the likeliest tokens that have this share together are drawn from.
        seed: of what is drawn; None for another each time.
        stop: texts before which it ends.
        presence, frequency: penalties of tokens that were written already.
        bias: added to the logits of some tokens.
        top: how many alternatives are told with each token's log-probability; None where none
            is told.
    """

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence: float = 0.0
    frequency: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole request.

    Args:
        model: the name of one that is served.
        prompts: texts to go on from; empty for a chat.
        messages: of a chat; empty for texts.
        choices: answers to each prompt.
        echo: whether the prompt is part of the answer.
        streams: whether the answer is sent as it grows.
        tells_usage: whether a stream ends with the number of tokens.
        sampling: how answers are written.
    """

    model: str
    prompts: tuple[Prompt, ...]
    messages: tuple[Message, ...]
    choices: int
    echo: bool
    streams: bool
    tells_usage: bool
    sampling: Sampling


def read_completion(body: object) -> Asked:
    """The request of ``/v1/completions``.

    Raises:
        Wrong: it is none.
    """
    said = _checked(body)
    top = said.get("logprobs")
    if top is not None and not (is_whole(top, 0) and top <= MOST_TOP):
        raise Wrong(f"logprobs must be a whole number from 0 to {MOST_TOP}.", "logprobs")
    tokens = _whole(said, "max_tokens", 0)
    return _asked(
        said,
        prompts=_prompts(said.get("prompt")),
        echo=_flag(said, "echo"),
        sampling=_sampling(said, COMPLETION_TOKENS if tokens is None else tokens, top),
    )


def read_chat(body: object) -> Asked:
    """The request of ``/v1/chat/completions``.

    Raises:
        Wrong: it is none.
    """
    said = _checked(body)
    top = _whole(said, "top_logprobs", 0)
    if top is not None and top > MOST_TOP:
        raise Wrong(f"top_logprobs must be at most {MOST_TOP}.", "top_logprobs")
    wants = _flag(said, "logprobs")
    if top and not wants:
        raise Wrong("top_logprobs needs logprobs to be true.", "top_logprobs")
    tokens = _whole(said, "max_completion_tokens", 1)
    tokens = _whole(said, "max_tokens", 1) if tokens is None else tokens
    messages = said.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Wrong("messages must be a list of at least one message.", "messages")
    return _asked(
        said,
        messages=tuple(_message(one, place) for place, one in enumerate(messages)),
        sampling=_sampling(said, tokens, (top or 0) if wants else None),
    )


def _checked(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Wrong("The body must be a JSON object.")
    for name, nothing in _NOTHING.items():
        if name in body and body[name] not in nothing:
            raise Wrong(f"{name} is not supported here; leave it out.", name)
    return body


def _asked(
    said: Mapping[str, Any],
    *,
    prompts: tuple[Prompt, ...] = (),
    messages: tuple[Message, ...] = (),
    echo: bool = False,
    sampling: Sampling,
) -> Asked:
    model = said.get("model")
    if not isinstance(model, str) or not model:
        raise Wrong("model must be the name of one of /v1/models.", "model")
    choices = _whole(said, "n", 1) or 1
    if choices > MOST_CHOICES:
        raise Wrong(f"n must be at most {MOST_CHOICES}.", "n")
    if choices * len(prompts) > MOST_ANSWERS:
        raise Wrong(f"prompt and n ask for more than {MOST_ANSWERS} answers.", "prompt")
    streams = _flag(said, "stream")
    options = said.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise Wrong("stream_options must be an object.", "stream_options")
    usage = _flag(options or {}, "include_usage")
    return Asked(model, prompts, messages, choices, echo, streams, usage, sampling)


def _sampling(said: Mapping[str, Any], tokens: int | None, top: int | None) -> Sampling:
    stop = said.get("stop")
    stops = [stop] if isinstance(stop, str) else stop if stop is not None else []
    if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
        raise Wrong("stop must be a text, or a list of texts.", "stop")
    return Sampling(
        max_tokens=tokens,
        temperature=_number(said, "temperature", 0.0, 2.0, 1.0),
        top_p=_number(said, "top_p", 0.0, 1.0, 1.0),
        seed=_seed(said),
        stop=tuple(one for one in stops if one),
        presence=_number(said, "presence_penalty", -2.0, 2.0, 0.0),
        frequency=_number(said, "frequency_penalty", -2.0, 2.0, 0.0),
        bias=_bias(said.get("logit_bias")),
        top=top,
    )


def _prompts(given: object) -> tuple[Prompt, ...]:
    """A text, several, the tokens of one, or those of several."""
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and given:
        if all(isinstance(one, str) for one in given):
            return tuple(given)
        if all(is_whole(one, 0) for one in given):
            return (tuple(given),)
        if all(isinstance(one, list) and one and all(is_whole(t, 0) for t in one) for one in given):
            return tuple(tuple(one) for one in given)
    raise Wrong("prompt must be a text, a list of texts, or their tokens.", "prompt")


def _message(given: object, place: int) -> Message:
    where = f"messages[{place}]"
    if not isinstance(given, dict) or not isinstance(given.get("role"), str):
        raise Wrong(f"{where} must be an object with a role and a content.", where)
    content = given.get("content")
    if isinstance(content, list):
        texts = [
            part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
            for part in content
        ]
        if not all(isinstance(text, str) for text in texts):
            raise Wrong(
                f"{where} holds something else than text, which is all that is read.", where
            )
        content = "".join(map(str, texts))
    if not isinstance(content, str):
        raise Wrong(f"The content of {where} must be a text.", where)
    role = "system" if given["role"] == "developer" else given["role"]
    return {"role": role, "content": content}


def _bias(given: object) -> tuple[tuple[int, float], ...]:
    if given in (None, {}):
        return ()
    try:
        found = tuple((int(token), value) for token, value in dict(given).items())  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        found = ((-1, 0.0),)
    if not all(token >= 0 and is_number(value) and -100 <= value <= 100 for token, value in found):
        raise Wrong("logit_bias must give tokens' numbers values from -100 to 100.", "logit_bias")
    return found


def _seed(said: Mapping[str, Any]) -> int | None:
    seed = said.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise Wrong("seed must be a whole number.", "seed")
    return None if seed is None else seed % (1 << 63)


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name)
    if value is not None and not isinstance(value, bool):
        raise Wrong(f"{name} must be true or false.", name)
    return bool(value)


def _whole(said: Mapping[str, Any], name: str, least: int) -> int | None:
    value = said.get(name)
    if value is not None and not is_whole(value, least):
        raise Wrong(f"{name} must be a whole number, {least} or more.", name)
    return value


def _number(said: Mapping[str, Any], name: str, least: float, most: float, default: float) -> float:
    value = said.get(name)
    if value is None:
        return default
    if not is_number(value) or not least <= value <= most:
        raise Wrong(f"{name} must be a number from {least:g} to {most:g}.", name)
    return float(value)
