"""Who judges a written answer in which the right one does not stand word for word.

A local model says yes or no by what it finds likelier; an OpenAI-compatible endpoint writes it.
Invariants: nothing is sent anywhere but to the address that a person gave; the endpoint's key is
read from the environment, sent in one header, and stands in no record, message or log.
"""

import re
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

from workbench.errors import ModelError, SettingsError
from workbench.measure.stress_exam import yes_or_no, yes_over_no
from workbench.measure.stress_settings import StressSettings
from workbench.model.language_model import LanguageModel
from workbench.model.likelihood import likelihoods
from workbench.model.load import load_model
from workbench.model.stoppable import stoppable
from workbench.work.events import follow
from workbench.work.keys import key_of
from workbench.work.stop import Stop
from workbench.work.words import one_line

__all__ = ["PROMPT", "EndpointJudge", "Judge", "LocalJudge", "find_judge", "judge_prompt"]

PROMPT = (
    "Below are a question, the right answer to it, and an answer that somebody gave. Does the "
    "given answer say the same as the right answer? More words do not matter; another answer, "
    "several answers, or none is a no. Say only yes or no.\n\n"
    "Question: {question}\n"
    "Right answer: {right}\n"
    "Given answer: {said}\n\n"
    "Is the given answer right?"
)
"""What a judge is asked; it stands in every report."""

SHOWN = 1000  # characters of an answer that a judge reads
TRIES = 3
PAUSE = 1.0  # seconds before the second try
PATIENCE = 60.0  # seconds for one reply
BUSY = (408, 429, 500, 502, 503, 504)


class Judge(Protocol):
    """Says whether answers mean what they should."""

    name: str
    url: str

    def judging(
        self, cases: Sequence[tuple[str, str, str]], stop: Stop
    ) -> Generator[int, None, list[bool | None]]:
        """Judges in steps: yields how many cases are done so far.

        Args:
            cases: each a question, the right answer, and what was said.
            stop: the wish to end it.

        Returns:
            For each whether it is right; None where the judge said neither yes nor no.

        Raises:
            Cancelled: somebody wanted it to end.
            WorkbenchError: the judge cannot be asked.
        """


def judge_prompt(question: str, right: str, said: str) -> str:
    """One case as the judge reads it."""
    # Values are put in at once, so that braces in them mean nothing.
    values = {"question": question, "right": right, "said": one_line(said, SHOWN) or "(nothing)"}
    return PROMPT.format(**values)


class LocalJudge:
    """A model on this machine.

    Args:
        name: of the model.
        load: loads it, when the first case is judged.
    """

    url = ""

    def __init__(self, name: str, load: Callable[[], LanguageModel]) -> None:
        self.name, self._load = name, load

    def judging(
        self, cases: Sequence[tuple[str, str, str]], stop: Stop
    ) -> Generator[int, None, list[bool | None]]:
        """See `Judge`; a local judge always says one of the two."""
        if not cases:
            return []
        model = self._load()
        found: list[bool | None] = []
        for case in cases:
            texts = yes_or_no(model, judge_prompt(*case))
            if model.longest is not None and max(text.length for text in texts) > model.longest:
                found.append(None)
            else:
                with stoppable(model, stop):
                    found.append(yes_over_no(follow(likelihoods(model, texts))) > 0)
            yield len(found)
        return found


class EndpointJudge:
    """A model behind an OpenAI-compatible endpoint.

    Args:
        name: of the model there.
        url: of the endpoint, such as ``http://127.0.0.1:8000/v1``.
        key: sent as a bearer token; empty for none.

    Raises:
        SettingsError: the key cannot be one.
    """

    def __init__(self, name: str, url: str, key: str = "") -> None:
        self.name, self.url = name, url
        if key and not re.fullmatch(r"[!-~]+", key):
            raise SettingsError(
                "The variable that judge_key_env names holds no key: a key is letters, digits and "
                "signs without blanks. Set it anew."
            )
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def judging(
        self, cases: Sequence[tuple[str, str, str]], stop: Stop
    ) -> Generator[int, None, list[bool | None]]:
        """See `Judge`."""
        if not cases:
            return []
        import httpx

        found: list[bool | None] = []
        # A redirect is not followed: the key is for this address alone.
        with httpx.Client(headers=self._headers, timeout=PATIENCE) as client:
            for case in cases:
                found.append(_verdict(self._ask(client, judge_prompt(*case), stop)))
                yield len(found)
        return found

    def _ask(self, client: Any, prompt: str, stop: Stop) -> str:
        """What the endpoint writes.

        Raises:
            ModelError: it does not, also after a few tries.
        """
        import httpx

        body = {
            "model": self.name,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
        }
        why = ""
        for attempt in range(TRIES):
            stop.check()
            if attempt:
                time.sleep(PAUSE * attempt)
            try:
                reply = client.post(f"{self.url.rstrip('/')}/chat/completions", json=body)
            except httpx.HTTPError as error:
                why = f"cannot be reached ({type(error).__name__})"
                continue
            if reply.status_code == 200:
                return self._written(reply)
            why = f"answers with the status {reply.status_code}"
            if reply.status_code not in BUSY:
                break
        raise ModelError(
            f"The judge at {self.url} {why}. Look at its address, its model and its key."
        ) from None

    def _written(self, reply: Any) -> str:
        try:
            content = reply.json()["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            raise ModelError(
                f"The judge at {self.url} answers with something else than a chat completion. Name "
                "an OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1."
            ) from None
        return str(content or "")


def _verdict(written: str) -> bool | None:
    """The last yes or no in what a judge wrote, which may have thought before."""
    words = re.findall(r"\b(yes|no)\b", written.lower())
    return None if not words else words[-1] == "yes"


def find_judge(settings: StressSettings, model: LanguageModel) -> Judge | None:
    """The judge that some settings name; None where they name nobody. Loads and asks nothing.

    Args:
        settings: of a stress.
        model: the base, which may be its own judge, without the edit.

    Raises:
        SettingsError: an address without a model, a key without an address, or a variable that
            holds no key.
    """
    if settings.judge_url and not settings.judge_model:
        raise SettingsError(
            "judge_url is given without judge_model. Name the model that the endpoint should ask."
        )
    if settings.judge_key_env and not settings.judge_url:
        raise SettingsError(
            "judge_key_env is given without judge_url. A key is for an endpoint; name its address "
            "too."
        )
    if not settings.judge_model:
        return None
    if settings.judge_url:
        return EndpointJudge(
            settings.judge_model,
            settings.judge_url,
            key_of(settings.judge_key_env, "judge_key_env"),
        )
    if settings.judge_model == model.name:
        return LocalJudge(model.name, lambda: model)
    device = str(model.device)
    return LocalJudge(settings.judge_model, lambda: load_model(settings.judge_model, device=device))
