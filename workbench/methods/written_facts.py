"""Facts with the token at which a method writes them, alone and behind other sentences.

A method that writes a value for a fact writes it where the model looks the fact up: at the last
token of its subject (Meng et al., arXiv 2202.05262), so that the value is found in other wordings
too. A fact whose subject nobody gave, and that looks like none, is written at the end of its
prompt. Knows nothing about what is written.
"""

from collections.abc import Sequence

import torch

from workbench.facts.fact import Fact
from workbench.facts.subject import with_subjects
from workbench.methods.written_settings import Token
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize

__all__ = ["WrittenFacts"]


class WrittenFacts:
    """The texts of some facts, block by block: alone, behind each sentence, the subjects alone.

    Args:
        model: the base.
        facts: what is to be learned.
        token: at which token of a prompt a fact is written.
        sentences: before each of which every prompt is put as well.

    Raises:
        ModelError: see `tokenize`.
    """

    def __init__(
        self, model: LanguageModel, facts: Sequence[Fact], token: Token, sentences: Sequence[str]
    ) -> None:
        known = with_subjects(facts)
        self._facts = len(facts)
        self.blocks = 1 + len(sentences)
        """In how many texts each fact's answer is said."""
        texts: list[TokenizedText] = []
        places: list[int] = []
        answers = [fact.target_new for fact in known]
        for before in ["", *(f"{sentence} " for sentence in sentences)]:
            prompts = [before + fact.prompt for fact in known]
            block = tokenize(model.tokenizer, prompts, answers)
            texts += block
            if token == "subject":
                ends = [
                    before + fact.prompt[: _end(fact)] if fact.subject else prompt
                    for fact, prompt in zip(known, prompts, strict=True)
                ]
                places += _last_tokens(model, ends, block)
            else:
                places += [len(text.prompt) - 1 for text in block]
        self.essences = [bool(fact.subject) and token == "subject" for fact in known]
        """Whether what the model says of a subject alone is known for each fact."""
        alone = prompt_tokens(model.tokenizer, [fact.subject or fact.prompt for fact in known])
        # Whatever follows, a target of one token stands where the next token is predicted.
        texts += [TokenizedText(ids, (ids[-1],)) for ids in alone]
        places += [len(ids) - 1 for ids in alone]
        self.table = TokenTable(texts, model.device)
        """Every text; the first are the facts alone, the last their subjects."""
        self.places = places
        """At which token each text is written."""

    def __len__(self) -> int:
        return self._facts

    def texts(self, rows: Sequence[int], blocks: range) -> list[int]:
        """The texts of some facts, block by block.

        Args:
            rows: the facts.
            blocks: which texts of each; the one after the last holds the subjects alone.
        """
        return [block * self._facts + row for block in blocks for row in rows]

    def at(self, texts: Sequence[int], device: torch.device) -> torch.Tensor:
        """The tokens at which some texts are written."""
        return torch.tensor([self.places[text] for text in texts], device=device)


def _end(fact: Fact) -> int:
    """One past the last character of a fact's subject in its prompt."""
    return fact.prompt.rindex(fact.subject) + len(fact.subject)


def _last_tokens(
    model: LanguageModel, beginnings: Sequence[str], texts: Sequence[TokenizedText]
) -> list[int]:
    """The token of each text in which a beginning of it ends."""
    found = []
    for ids, text in zip(prompt_tokens(model.tokenizer, beginnings), texts, strict=True):
        same = next(
            (n for n, pair in enumerate(zip(ids, text.prompt, strict=False)) if pair[0] != pair[1]),
            min(len(ids), len(text.prompt)),
        )
        # A token may go on beyond the beginning, and then is another one than the beginning's.
        whole = same == len(ids)
        found.append(min(same - 1 if whole else same, len(text.prompt) - 1))
    return found
