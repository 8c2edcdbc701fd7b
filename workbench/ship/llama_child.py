"""llama.cpp in a process of its own: a model is loaded, and prompts are answered.

Run as `python -m workbench.ship.llama_child`. Reads one JSON object a line from standard input:
first the file and how it is loaded, then bodies of requests; writes what became of each as one
line. A model that makes llama.cpp end its process ends only this one. Imports nothing heavy.
"""

import json
import os
import sys
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Serves until standard input ends."""
    # What llama.cpp prints of itself must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    import xllamacpp

    order = json.loads(sys.stdin.readline())
    params = xllamacpp.CommonParams()
    params.model.path = order["file"]
    params.n_ctx = order["context"]
    params.n_parallel = order["slots"]
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    params.cache_ram_mib = 0
    try:
        server = xllamacpp.Server(params)
    except Exception as error:
        answer({"error": str(error)})
        return
    answer({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        ask = server.handle_chat_completions if asked.pop("chat") else server.handle_completions
        try:
            answer({"reply": ask(asked)})
        except Exception as error:
            answer({"error": str(error)})


if __name__ == "__main__":
    main()
