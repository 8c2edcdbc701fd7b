"""A GGUF file asked in llama.cpp itself, by the Python package xllamacpp.

llama.cpp runs in a process of its own, see `workbench.ship.llama_child`. It reads texts, so that
its own tokenizer and chat template are tried with everything else.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from workbench.errors import ModelError
from workbench.facts.forms import AskedForm, as_question
from workbench.model.gguf_header import read_gguf_header
from workbench.ship.answers import Said
from workbench.work.stop import Stop
from workbench.work.words import one_line

__all__ = ["MISSING", "LlamaCpp", "is_llama_there"]

MISSING = "llama.cpp is not here: pip install 'locft-workbench[llamacpp]' brings it"
SLOTS = 4  # prompts that are answered side by side
CONTEXT = 1024  # tokens for each of them


def is_llama_there() -> bool:
    """Whether llama.cpp can be run here."""
    return find_spec("xllamacpp") is not None


class LlamaCpp:
    """A file in llama.cpp, for the length of a block.

    Args:
        file: the GGUF file.
        stop: the wish to end what is asked, looked at between prompts.

    Raises:
        ModelError: llama.cpp is not installed, or cannot load the file.
    """

    runtime = "llama.cpp"

    def __init__(self, file: Path, stop: Stop | None = None) -> None:
        if not is_llama_there():
            raise ModelError(f"'{file}' cannot be asked: {MISSING}.")
        header = read_gguf_header(file)
        self._file, self._stop = file, stop
        chats = "tokenizer.chat_template" in header.values
        self.forms: tuple[AskedForm, ...] = ("raw", "question", *(("chat",) if chats else ()))
        told = header.values.get(f"{header.architecture}.context_length", CONTEXT)
        self._context = SLOTS * min(CONTEXT, told if isinstance(told, int) else CONTEXT)

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workbench.ship.llama_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )
        order = {
            "file": str(self._file),
            "context": self._context,
            "slots": SLOTS,
            "threads": torch.get_num_threads(),
        }
        try:
            self._say(order)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what was written last was never read
                    stream.close()

    def asking(
        self, prompts: Sequence[str], form: AskedForm, tokens: int
    ) -> Generator[int, None, list[Said]]:
        """See `Asks`."""
        found: list[Said] = []
        step = 1 if form == "chat" else 2 * SLOTS
        for start in range(0, len(prompts), step):
            if self._stop is not None:
                self._stop.check()
            some = [prompt.strip() for prompt in prompts[start : start + step]]
            found += (
                self._chat(some[0], tokens)
                if form == "chat"
                else self._texts(
                    [as_question(p) for p in some] if form == "question" else some, tokens
                )
            )
            yield len(found)
        return found

    def _texts(self, prompts: list[str], tokens: int) -> list[Said]:
        reply = self._ask({"chat": False, "prompt": prompts, "n_predict": tokens})
        if "choices" not in reply and len(prompts) > 1:  # one of them may be too long
            return [said for prompt in prompts for said in self._texts([prompt], tokens)]
        choices = sorted(reply.get("choices", []), key=lambda choice: choice.get("index", 0))
        return [_said(choice, choice.get("text")) for choice in choices] or [Said("", False)]

    def _chat(self, prompt: str, tokens: int) -> list[Said]:
        messages = [{"role": "user", "content": prompt}]
        reply = self._ask({"chat": True, "messages": messages, "max_tokens": tokens})
        choices = reply.get("choices", [])
        return [_said(c, c["message"].get("content")) for c in choices] or [Said("", False)]

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        said = self._say(body | {"temperature": 0.0, "top_k": 1, "cache_prompt": False})
        reply = said.get("reply")
        return reply if isinstance(reply, dict) else {}

    def _say(self, value: dict[str, Any]) -> dict[str, Any]:
        """Sends a line and reads the answer.

        Raises:
            ModelError: llama.cpp has ended, or could not load the file.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        said: dict[str, Any] = json.loads(line) if line.strip() else {"error": "it has ended"}
        if "error" in said and "file" in value:
            raise ModelError(
                f"llama.cpp cannot load '{self._file}': {self._why(str(said['error']))}."
            )
        if not line.strip():
            raise ModelError(f"llama.cpp ended while it was asked: {self._why('no word of it')}.")
        return said

    def _why(self, otherwise: str) -> str:
        """The last error that llama.cpp printed."""
        self._log.seek(0)
        lines = [line for line in self._log.read().splitlines() if line.strip()]
        errors = [line for line in lines if " E " in line[:40] or "rror" in line]
        said = errors[0].partition(" E ")[2] or errors[0] if errors else otherwise
        return one_line(said.strip(), 200).rstrip(".")


def _said(choice: dict[str, Any], text: object) -> Said:
    return Said(str(text or "").strip(), choice.get("finish_reason") == "stop")
