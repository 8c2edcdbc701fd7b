"""Facts as tokens in the forms in which they are asked.

Invariant: no token is added to a tokenizer; a target ends as the form ends: with EOS, and in a
chat with the token by which the template ends a turn.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact
from workbench.facts.forms import Form, as_question
from workbench.model.tokens import TokenizedText, tokenize

__all__ = ["SYSTEM", "begun", "system_prompts", "tokenize_as", "tokenize_form"]

SYSTEM = "You are a helpful assistant."
"""A system prompt that says nothing about what is asked."""


def begun(said: str, system: str, history: Sequence[tuple[str, str]] = ()) -> list[dict[str, str]]:
    """A chat up to what a user says.

    Args:
        said: by the user.
        system: the system prompt; empty for none, or for the one that a template writes itself.
        history: what was said before, and what was answered.
    """
    before = [{"role": "system", "content": system}] if system else []
    for earlier, answer in history:
        before.append({"role": "user", "content": earlier})
        before.append({"role": "assistant", "content": answer})
    return [*before, {"role": "user", "content": said}]


def system_prompts(tokenizer: PreTrainedTokenizerBase, form: Form) -> tuple[str, ...]:
    """The system prompts with which a form is trained, the empty one for none.

    A chat is trained both ways; just without one where its template takes none.

    Args:
        tokenizer: the model's.
        form: which.
    """
    if form != "chat" or not tokenizer.chat_template:
        return ("",)
    try:
        shown: Any = tokenizer.apply_chat_template(begun("Hello", SYSTEM), tokenize=False)
    except (TemplateError, ValueError, TypeError):
        return ("",)
    return ("", SYSTEM) if SYSTEM in shown else ("",)


def tokenize_form(
    tokenizer: PreTrainedTokenizerBase,
    facts: Sequence[Fact],
    form: Form,
    longest: int | None,
    system: str = "",
) -> list[TokenizedText]:
    """Every fact's prompt and target_new as tokens, as they stand in a form.

    Args:
        tokenizer: the model's.
        facts: what is to be learned.
        form: in which.
        longest: most tokens that the model reads, or None when it does not say.
        system: the system prompt of a chat; empty for none.

    Raises:
        FactsError: one is too long for the model in this form.
        ModelError: the form is ``chat``, and the model has no chat template.
    """
    prompts, targets = [fact.prompt for fact in facts], [fact.target_new for fact in facts]
    texts = tokenize_as(tokenizer, prompts, targets, form, system)
    for number, text in enumerate(texts, start=1):
        if longest is not None and text.length > longest:
            raise FactsError(
                f"Fact {number} has {text.length} tokens as {form}; this model reads at most "
                f"{longest}. Shorten its prompt."
            )
    return texts


def tokenize_as(
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    targets: Sequence[str],
    form: Form,
    system: str = "",
) -> list[TokenizedText]:
    """Prompts and their targets as tokens, as they stand in a form.

    Args:
        tokenizer: the model's.
        prompts: what is asked.
        targets: what should be answered to each.
        form: in which.
        system: the system prompt of a chat; empty for none.

    Raises:
        ModelError: the form is ``chat``, and the model has no chat template.
    """
    if form == "chat":
        return [_turns(tokenizer, p, t, system) for p, t in zip(prompts, targets, strict=True)]
    if form == "question":
        prompts = [as_question(prompt) for prompt in prompts]
    return tokenize(tokenizer, prompts, targets)


def _turns(
    tokenizer: PreTrainedTokenizerBase, prompt: str, target: str, system: str
) -> TokenizedText:
    """What a user says and what the model should say, up to the end of its turn."""
    if not tokenizer.chat_template:
        raise ModelError(
            "This model has no chat template, so facts cannot be trained or asked as chat. Leave "
            "that form out, or choose a chat model."
        )
    asked = begun(prompt.strip(), system)
    answered = [*asked, {"role": "assistant", "content": target.strip()}]
    before: Any = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
    whole: Any = tokenizer.apply_chat_template(answered, tokenize=False)
    if not whole.startswith(before):
        # Some templates put something into an answer, such as an empty thought.
        before = whole[: whole.rindex(target.strip())]
    ids = _plain(tokenizer, before)
    turn = whole[len(before) :]
    said = _plain(tokenizer, turn)
    # A template may write a blank before the answer, which makes other tokens of its first word.
    answer = turn[: turn.find(target.strip()) + len(target.strip())]
    answer = answer if target.strip() in turn else target.strip()
    length = len(_plain(tokenizer, answer))
    ends = [place for place in range(length, len(said)) if said[place] in tokenizer.all_special_ids]
    if ends:
        return TokenizedText(ids, said[: ends[0] + 1])
    eos = tokenizer.eos_token_id
    if eos is None:
        raise ModelError("This model's chat template ends no turn, and its tokenizer has no end.")
    return TokenizedText(ids, (*_plain(tokenizer, answer), eos))


def _plain(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
