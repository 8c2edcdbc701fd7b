"""Probes: prompts asked of the model before and after a patch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.model.generate import Answer, generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.stop_rule import StopRule
from workbench.work.stop import Stop

__all__ = ["Answer", "Probe", "generate", "probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt with the answers of the base and, where there is a patch, of the edited model."""

    prompt: str
    before: Answer
    after: Answer | None

    def as_dict(self) -> dict[str, Any]:
        """The probe as JSON-ready data."""
        return asdict(self)


def probe(
    model: LanguageModel,
    prompts: Sequence[str],
    patch: Patch | None = None,
    *,
    chat: bool = False,
    max_new_tokens: int = 32,
    stop: StopRule = "eos",
    top_k: int = 5,
    as_shipped: bool = False,
    cancel: Stop | None = None,
) -> list[Probe]:
    """Asks the model before and after a patch; the model stays as it is.

    Args:
        model: the base.
        prompts: texts to continue, or, with `chat`, what a user says; one text is a list of one.
        patch: the edit; None asks the base alone.
        chat: whether prompts go through the tokenizer's chat template.
        max_new_tokens: most tokens an answer has.
        stop: ``eos``, or ``sentence`` for the paper's rule (also "." and newline).
        top_k: how many next tokens to report.
        as_shipped: answer by the checkpoint's own generation settings; `Answer.how` names them.
        cancel: the wish to end it, asked before every token.

    Raises:
        Cancelled: somebody wanted it to end.
        PatchError: the patch belongs to another base.
        ModelError, SettingsError: see `generate`.
    """
    texts = [prompts] if isinstance(prompts, str) else list(prompts)

    def ask() -> list[Answer]:
        return generate(
            model,
            texts,
            chat=chat,
            max_new_tokens=max_new_tokens,
            stop=stop,
            top_k=top_k,
            as_shipped=as_shipped,
            cancel=cancel,
        )

    before = ask()
    if patch is None:
        return [Probe(text, answer, None) for text, answer in zip(texts, before, strict=True)]
    with patch.applied(model):
        after = ask()
    return [Probe(*row) for row in zip(texts, before, after, strict=True)]
