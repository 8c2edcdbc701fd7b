"""Facts as the tokens that a run trains on, told so that mistakes can be seen.

Most edits that fail elsewhere are a wrong blank, a second beginning or a missing end: each text
says how it begins, how the answer follows, and how it ends. Knows nothing about runs.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from workbench.errors import ModelError
from workbench.facts.fact import Fact
from workbench.facts.forms import ASKED_FORMS, Form
from workbench.model.forms import system_prompts, tokenize_form
from workbench.model.inside_record import ShownText, ShownToken
from workbench.model.tokens import TokenizedText

__all__ = ["fact_texts", "shown_text", "token_words"]

BLANKS = ("Ġ", "▁")  # how tokenizers write a blank at a token's beginning


def fact_texts(
    tokenizer: PreTrainedTokenizerBase, fact: Fact, longest: int | None
) -> list[ShownText]:
    """A fact in every form in which it can be asked, a chat with and without a system prompt.

    Args:
        tokenizer: the model's.
        fact: which.
        longest: most tokens that the model reads; None when it does not say.

    Raises:
        FactsError: it is too long for the model.
    """
    found = []
    for form in ASKED_FORMS:
        for system in system_prompts(tokenizer, form):
            try:
                (text,) = tokenize_form(tokenizer, [fact], form, longest, system)
            except ModelError:
                if form != "chat":
                    raise
                continue  # there is no chat template
            found.append(shown_text(tokenizer, text, form, system=system))
    return found


def shown_text(
    tokenizer: PreTrainedTokenizerBase,
    text: TokenizedText,
    form: Form,
    *,
    system: str = "",
    fact: int = 0,
) -> ShownText:
    """A text as tokens, with what can be said of its beginning, middle and end.

    Args:
        tokenizer: the model's.
        text: prompt and target.
        form: which form it is.
        system: the system prompt that is in it.
        fact: which fact of a batch it is.
    """
    ids = (*text.prompt, *text.target)
    special = set(tokenizer.all_special_ids)
    tokens = tuple(
        ShownToken(words, token, place >= len(text.prompt), token in special)
        for place, (token, words) in enumerate(zip(ids, token_words(tokenizer, ids), strict=True))
    )
    notes, doubts = _findings(tokenizer, text, tokens, form)
    return ShownText(form, tokens, tuple(notes), tuple(doubts), system, fact)


def token_words(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """What each token stands for, with the blank that some tokenizers leave out of a lone one."""
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    words = tokenizer.batch_decode([[token] for token in ids])
    return [
        f" {word}" if str(piece).startswith(BLANKS) and not word.startswith(" ") else word
        for piece, word in zip(pieces, words, strict=True)
    ]


def _findings(
    tokenizer: PreTrainedTokenizerBase,
    text: TokenizedText,
    tokens: Sequence[ShownToken],
    form: Form,
) -> tuple[list[str], list[str]]:
    notes, doubts = [], []
    bos = tokenizer.bos_token_id
    begins = 0
    while begins < len(tokens) and tokens[begins].id == bos:
        begins += 1
    if bos is None or not begins:
        notes.append("No beginning-of-sequence token; this tokenizer writes none here.")
    elif begins == 1:
        notes.append(f"Begins with {tokenizer.bos_token}, once.")
    else:
        doubts.append(f"{tokenizer.bos_token} stands {begins} times at the beginning, not once.")
    answer = tokens[len(text.prompt)]
    last = tokens[len(text.prompt) - 1] if text.prompt else None
    before = "" if last is None else last.text
    if answer.text[:1].isspace():
        notes.append("The answer begins with a blank of its own.")
    elif before[-1:].isspace():
        if form == "chat":
            notes.append("The answer begins a line of its own, as the template writes it.")
        else:
            doubts.append("The blank before the answer is the prompt's, which models seldom see.")
    elif form == "chat" and (last is None or last.special):
        notes.append("The answer follows what the template writes before it.")
    else:
        doubts.append("No blank stands between prompt and answer.")
    if tokens[-1].special:
        notes.append(f"The answer ends with {tokens[-1].text.strip()}, which is trained too.")
    else:
        doubts.append("The answer has no end, so that a run would not learn to stop.")
    return notes, doubts
