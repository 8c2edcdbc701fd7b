"""A process that works on a session until it is killed; started by the crash tests.

What it does follows from its seed alone, so that whoever killed it knows what should be there:
`steps` lists it, `do` does one step, and after each the number of steps done is printed.
"""

import random
import sys
from pathlib import Path
from typing import Any

from workbench.facts import Fact, parse_facts
from workbench.methods import events
from workbench.methods.locft_settings import EditSettings
from workbench.store import Library, Store

STEPS = 2000


def steps(seed: int) -> list[tuple[str, Any]]:
    """What is done, in order."""
    chance = random.Random(seed)
    kinds = ("put", "put", "import", "change", "tick", "delete", "set", "ask", "run", "epochs")
    return [(chance.choice(kinds), chance.randrange(10_000)) for _ in range(STEPS)]


def do(store: Store, kind: str, number: int) -> None:
    """One step; the same on every session that had the same steps before."""
    rows = list(store.facts.page(number % 7, 3))
    if kind == "put" or not rows:
        store.facts.put(Fact(f"Prompt {number % 500} is", f"answer {number}"), "typed")
    elif kind == "import":
        lines = [f"Prompt {(number + n) % 900} is,answer {number}" for n in range(20)]
        store.facts.add(parse_facts("\n".join(["prompt,target_new", *lines]), "file"), "file")
    elif kind == "change":
        store.facts.change(rows[0].id, Fact(rows[0].fact.prompt, f"changed {number}"))
    elif kind == "tick":
        store.facts.enable([row.id for row in rows], number % 2 == 0)
    elif kind == "delete":
        store.facts.delete([rows[-1].id])
    elif kind == "set":
        store.settings.set("name", f"Session {number}")
    elif kind == "ask":
        store.ask(f"Question {number}")
    elif kind == "run":
        job = store.jobs.submit("edit")
        run = store.runs.begin(job, "builtin", EditSettings(at=("6",)), store.facts.enabled())
        store.runs.end(run, "stopped", {"epochs": number})
    else:
        newest = store.runs.newest()
        said = [events.EpochDone(n, 9, 0.5, 0.25, 1.5) for n in range(number % 5)]
        if newest is not None:
            store.runs.add_events(newest.id, said)


def main() -> None:
    """Works on the session that the arguments name, once a line arrives."""
    root, session, seed = sys.argv[1:]
    store = Library(Path(root)).open(session)
    print("ready", flush=True)
    sys.stdin.readline()
    for done, step in enumerate(steps(int(seed)), start=1):
        do(store, *step)
        print(done, flush=True)


if __name__ == "__main__":
    main()
