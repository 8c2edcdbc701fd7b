"""The model in memory as something that is asked, with whatever weights are in it."""

from collections.abc import Generator, Sequence

from workbench.facts.forms import AskedForm, as_question
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import prompt_tokens
from workbench.ship.answers import Said
from workbench.work.stop import Stop

__all__ = ["InMemory"]

AT_ONCE = 64


class InMemory:
    """A model asked through transformers.

    Args:
        model: as it is whenever it is asked.
        runtime: what its weights went through, such as ``peft``.
        stop: the wish to end what is asked.
    """

    def __init__(
        self, model: LanguageModel, runtime: str = "transformers", stop: Stop | None = None
    ) -> None:
        self.model, self.runtime, self._stop = model, runtime, stop
        chats = getattr(model.tokenizer, "chat_template", None)
        self.forms: tuple[AskedForm, ...] = ("raw", "question", *(("chat",) if chats else ()))

    def asking(
        self, prompts: Sequence[str], form: AskedForm, tokens: int
    ) -> Generator[int, None, list[Said]]:
        """See `Asks`; a prompt that leaves the model no room is answered with nothing."""
        asked = [as_question(prompt) if form == "question" else prompt for prompt in prompts]
        longest = self.model.longest or 1 << 30
        lengths = [len(ids) for ids in prompt_tokens(self.model.tokenizer, asked)]
        room = 64 if form == "chat" else 0  # for what a template adds
        rows = [row for row, length in enumerate(lengths) if length + room < longest]
        found = dict.fromkeys(range(len(prompts)), Said("", False))
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            said = generate(
                self.model,
                [asked[row] for row in some],
                chat=form == "chat",
                max_new_tokens=tokens,
                top_k=1,
                cancel=self._stop,
            )
            found.update(
                (row, Said(answer.text, answer.ended))
                for row, answer in zip(some, said, strict=True)
            )
            yield start + len(some)
        return list(found.values())
