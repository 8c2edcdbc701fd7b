"""Which facts hold in what an edit was written to, asked in the runtime that it is for.

A GGUF file is asked in llama.cpp, an adapter with peft on its base, a folder with transformers, an
endpoint where it is. Everything answers greedily and is judged by one rule, see
`workbench.ship.answers`.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact
from workbench.facts.forms import AskedForm
from workbench.measure.questions import ANSWER_TOKENS
from workbench.model.gguf_header import find_gguf, read_gguf_header
from workbench.model.language_model import LanguageModel
from workbench.model.load import load_model
from workbench.model.patch import PATCH_FILE, Patch
from workbench.ship.adapter import ADAPTER_CONFIG, adapted
from workbench.ship.answers import Asks, Said, contains, is_strict
from workbench.ship.endpoint import Endpoint
from workbench.ship.in_memory import InMemory
from workbench.ship.llama_cpp import LlamaCpp, is_llama_there
from workbench.ship.quantized import quantizing_file, quantizing_model
from workbench.ship.verified import FactHeld, FormHeld, Verified
from workbench.ship.verify_settings import Quantization, VerifySettings
from workbench.work.events import Progress, Work, mapped
from workbench.work.keys import key_of
from workbench.work.stop import Stop

__all__ = ["opened", "verifying"]


def verifying(
    name: str, facts: Sequence[Fact], settings: VerifySettings, stop: Stop | None = None
) -> Work[Verified]:
    """Asks facts in forms.

    Args:
        name: a folder, a hub id, a GGUF file, an adapter, a patch, or an endpoint's address.
        facts: what is asked.
        settings: how.
        stop: the wish to end it.

    Raises:
        Cancelled: somebody wanted it to end.
        FactsError: there are no facts.
        ModelError, PatchError: there is nothing of that name, or it cannot be asked.
    """
    if settings.after_quantization and name.startswith(("http://", "https://")):
        raise ModelError(
            f"The weights of '{name}' are elsewhere. Name the folder or the GGUF file instead."
        )
    asked = list(facts)[: settings.ask]
    if not asked:
        raise FactsError("There are no facts to ask. Name a file that has some.")
    yield Progress(0, 1, f"Loading {name}")
    with opened(name, settings, stop) as asks:
        forms = _forms(name, asks, settings)
        found = yield from _in_forms(asks, asked, forms)
        prompts = tuple(fact.prompt for fact in asked)
        done = Verified(name, asks.runtime, prompts, found)
        if settings.after_quantization is None:
            return done
        after, size = yield from _after(name, asks, asked, forms, settings.after_quantization, stop)
        return replace(done, quantization=settings.after_quantization, after=after, bytes=size)


def _in_forms(
    asks: Asks, facts: Sequence[Fact], forms: Sequence[AskedForm]
) -> Work[tuple[FormHeld, ...]]:
    found = []
    for place, form in enumerate(forms):
        held = yield from _asking(asks, facts, form, place, len(forms))
        found.append(FormHeld(form, held))
    return tuple(found)


def _after(
    name: str,
    asks: Asks,
    facts: Sequence[Fact],
    forms: Sequence[AskedForm],
    quantization: Quantization,
    stop: Stop | None,
) -> Work[tuple[tuple[FormHeld, ...], int]]:
    """What holds after a quantization, and how many bytes the weights take then.

    Raises:
        ModelError: the weights cannot be had, or the quantization not be made here.
    """
    if isinstance(asks, InMemory):
        size = yield from quantizing_model(asks.model, quantization, stop)
        return (yield from _in_forms(asks, facts, forms)), size
    file = find_gguf(Path(name).expanduser())
    assert file is not None
    header = read_gguf_header(file)
    with tempfile.TemporaryDirectory(prefix="quantized-") as folder:
        out = Path(folder) / file.name
        size = yield from quantizing_file(header, quantization, out, stop)
        with LlamaCpp(out, stop) as again:
            return (yield from _in_forms(again, facts, forms)), size


def _forms(name: str, asks: Asks, settings: VerifySettings) -> tuple[AskedForm, ...]:
    """The forms in which something is asked.

    Raises:
        ModelError: one that was named cannot be.
    """
    unknown = [form for form in settings.forms if form not in asks.forms]
    if unknown:
        raise ModelError(
            f"'{name}' cannot be asked as {', '.join(unknown)}: it has no chat template. Leave "
            "that form out."
        )
    return tuple(form for form in settings.wanted if form in asks.forms)


def _asking(
    asks: Asks, facts: Sequence[Fact], form: AskedForm, place: int, forms: int
) -> Work[tuple[FactHeld, ...]]:
    work = asks.asking([fact.prompt for fact in facts], form, ANSWER_TOKENS)
    total = forms * len(facts)
    said: list[Said] = yield from mapped(
        work, lambda done: Progress(place * len(facts) + done, total, f"Asking as {form}")
    )
    return tuple(
        FactHeld(answer.text, is_strict(fact, answer), contains(fact, answer))
        for fact, answer in zip(facts, said, strict=True)
    )


@contextmanager
def opened(name: str, settings: VerifySettings, stop: Stop | None = None) -> Iterator[Asks]:
    """Something by its name, ready to be asked, for the length of a block.

    Raises:
        ModelError, PatchError: there is nothing of that name, or it cannot be loaded.
        SettingsError: the key's variable is not set.
    """
    if name.startswith(("http://", "https://")):
        key = key_of(settings.key_env, "key_env")
        with Endpoint(name, settings.model_name, key, stop) as endpoint:
            yield endpoint
        return
    path = Path(name).expanduser()
    if (path / ADAPTER_CONFIG).is_file():
        model = _load(settings.base or _base_of(path), settings)
        with adapted(model, path):
            yield InMemory(model, "peft", stop)
        return
    if (path / PATCH_FILE).is_file():
        patch = Patch.load(path)
        model = _load(settings.base or str(patch.metadata["base"]["name"]), settings)
        with patch.applied(model):
            yield InMemory(model, stop=stop)
        return
    file = find_gguf(path)
    if file is not None and is_llama_there():
        with LlamaCpp(file, stop) as llama:
            yield llama
        return
    runtime = "transformers, dequantized" if file is not None else "transformers"
    yield InMemory(_load(name, settings), runtime, stop)


def _load(name: str, settings: VerifySettings) -> LanguageModel:
    return load_model(name, device=settings.device, dtype=settings.dtype)


def _base_of(adapter: Path) -> str:
    """The base that an adapter names.

    Raises:
        ModelError: it names none.
    """
    try:
        said = json.loads((adapter / ADAPTER_CONFIG).read_text("utf-8"))
        base = said["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise ModelError(f"The adapter '{adapter}' does not name its base. Name it with --base.")
    return base
