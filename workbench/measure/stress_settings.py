"""How an edit is stressed: one flat, frozen dataclass, checked when it is made.

The same fields, in the same words, on the command line, in Python and in the record. A judge's key
is never among them: they name the environment variable that holds it.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from workbench.errors import SettingsError
from workbench.work.settings import SettingsRecord, setting

__all__ = ["JUDGE", "PROBES", "Probe", "StressSettings"]

JUDGE = ("judge_model", "judge_url", "judge_key_env")
"""The settings of the judge, which send a variable of this machine to an address."""

Probe = Literal["judged", "belief", "choice", "reverse", "two_hops"]
PROBES: tuple[Probe, ...] = get_args(Probe)

ALL_UP_TO = 50


@dataclass(frozen=True, slots=True)
class StressSettings(SettingsRecord):
    """What an edit is put to, and who judges what it says.

    Raises:
        SettingsError: when a value makes no sense; the message names the setting.
    """

    probes: tuple[str, ...] = setting(
        (),
        "What is asked: judged (free answers), belief (is it true that …), choice (the old answer "
        "among the choices), reverse, two_hops; empty: all.",
        label="Ways of asking",
        metavar="|".join(PROBES),
        empty="all",
    )
    facts: int | None = setting(
        None,
        f"Most facts that are asked, drawn by the seed; empty: {ALL_UP_TO}.",
        label="Facts asked",
        unit="facts",
    )
    max_new_tokens: int = setting(
        64,
        "Most tokens an answer has that does not stop by itself.",
        label="Longest free answer",
        unit="tokens",
    )
    lasting_steps: int = setting(
        200,
        "Steps of fine-tuning on unrelated text, in the places that the patch changes, after which "
        "everything is asked once more; 0 for none.",
        label="Steps of unrelated fine-tuning",
        unit="steps",
    )
    lasting_rate: float = setting(
        1e-4, "Adam's constant rate in these steps.", label="Rate of unrelated fine-tuning"
    )
    judge_model: str = setting(
        "",
        "Who judges answers in which the right one does not stand word for word: builtin, a hub "
        "id, a folder or a GGUF file; with --judge-url the model's name there; empty: nobody.",
        label="Judge",
        metavar="NAME",
        empty="nobody",
    )
    judge_url: str = setting(
        "",
        "An OpenAI-compatible endpoint where the judge is asked, such as "
        "http://127.0.0.1:8000/v1; questions and answers are sent there; empty: none.",
        label="Judge's address",
        metavar="URL",
        empty="none",
    )
    judge_key_env: str = setting(
        "",
        "The environment variable that holds the endpoint's key, which is kept nowhere; empty: "
        "no key.",
        label="Variable of the judge's key",
        metavar="VARIABLE",
        empty="no key",
    )
    seed: int = setting(
        0,
        "Draws the facts, the other choices and the order of the text.",
        label="Seed of the stress",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "probes", tuple(self.probes))
        for probe in self.probes:
            if probe not in PROBES:
                raise SettingsError(f"probes has {probe!r}; choose of {', '.join(PROBES)}.")
        self._require_whole("facts", least=1, optional=True)
        self._require_whole("max_new_tokens", least=1)
        self._require_whole("lasting_steps", "seed", least=0)
        self._require_number("lasting_rate")
        self._check_judge()

    def _check_judge(self) -> None:
        """What may be a key in a wrong place is never repeated."""
        if self.judge_url:
            _require_address(self.judge_url)
        if self.judge_key_env and not re.fullmatch(r"[A-Za-z_]\w*", self.judge_key_env, re.ASCII):
            raise SettingsError(
                "judge_key_env is no name of an environment variable. Write the name of the "
                "variable that holds the key, such as JUDGE_KEY, never the key itself."
            )

    def asks(self, probe: Probe) -> bool:
        """Whether a probe is wanted."""
        return not self.probes or probe in self.probes

    def facts_of(self, facts: int) -> int:
        """How many of so many facts are asked."""
        return min(self.facts or ALL_UP_TO, facts)


def _require_address(url: str) -> None:
    """Makes sure that an address is one, and carries no secret into a report.

    Raises:
        SettingsError: it is none, or holds a name, a password or a query.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
        _ = parts.port
    except ValueError:
        sound = False
    if not sound or " " in url:
        raise SettingsError(
            "judge_url is no address of an endpoint. Write one such as http://127.0.0.1:8000/v1."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(
            "judge_url holds more than an address. Leave out names, passwords and what follows a "
            "question mark; a key is read from the variable that judge_key_env names."
        )
