"""How fast facts are read, how much memory that takes, and whether any bytes break it.

`python -m bench.facts` writes files of made-up facts in each format, reads each in a process of
its own, and prints a table; then it reads mutated copies of every sample of the tests, many of
them in another shape. A mutated file must give facts or a FactsError, and rows = facts + merged +
rejected.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bench.mutate import mutants
from workbench.errors import FactsError
from workbench.facts import Fact, Question, parse_facts, read_facts, write_facts

SAMPLES = Path("tests/facts/samples")
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vel", "dor", "pin", "su", "gar", "oth", "ben", "hal")


def words(rng: random.Random, count: int) -> str:
    """Made-up words."""
    return " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(2, 3))) for _ in range(count))


def made_up(rows: int) -> Iterator[Fact]:
    """Facts of the length of ZsRE's, each with a rephrase and a locality prompt."""
    rng = random.Random(0)
    for row in range(rows):
        subject = words(rng, 2).title()
        yield Fact(
            f"Which town lies nearest to {subject} number {row}?",
            words(rng, 2).title(),
            subject=subject,
            ground_truth=words(rng, 2).title(),
            rephrase_prompts=(f"Nearest to {subject} number {row} is which town?",),
            locality_prompts=(Question(f"how many {words(rng, 4)} are in {row}", words(rng, 1)),),
        )


def as_zsre(fact: Fact) -> dict[str, Any]:
    """The fact as a record of ZsRE."""
    (question,) = fact.locality_prompts
    return {
        "subject": fact.subject, "src": fact.prompt, "pred": fact.ground_truth,
        "rephrase": fact.rephrase_prompts[0], "alt": fact.target_new,
        "answers": [fact.ground_truth], "loc": f"nq question: {question.prompt}",
        "loc_ans": question.answer, "cond": f"{fact.ground_truth} >> {fact.target_new}",
    }  # fmt: skip


def as_rome(fact: Fact) -> dict[str, Any]:
    """The fact as a record of CounterFact as ROME published it."""
    return {
        "case_id": 0,
        "requested_rewrite": {
            "prompt": fact.prompt.replace(fact.subject, "{}"), "subject": fact.subject,
            "target_new": {"str": fact.target_new}, "target_true": {"str": fact.ground_truth},
        },
        "paraphrase_prompts": list(fact.rephrase_prompts),
        "neighborhood_prompts": [question.prompt for question in fact.locality_prompts],
    }  # fmt: skip


def write_files(folder: Path, rows: int) -> list[Path]:
    """One file of each format and container."""
    for name in ("own.csv", "own.csv.gz", "own.jsonl", "own.json"):
        write_facts(made_up(rows), folder / name)
    write_facts(made_up(rows), folder / "counterfact_flat.json", "counterfact")
    for name, record in (("zsre.json", as_zsre), ("counterfact_rome.json", as_rome)):
        with (folder / name).open("w", encoding="utf-8") as file:
            file.write("[" + ",\n".join(json.dumps(record(f)) for f in made_up(rows)) + "]")
    _write_parquet(folder / "zsre.parquet", rows)
    _write_excel(folder / "own.xlsx", rows)
    return sorted(folder.iterdir())


def _write_parquet(path: Path, rows: int) -> None:
    import pyarrow
    import pyarrow.parquet

    records = [as_zsre(fact) for fact in made_up(rows)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path)


def _write_excel(path: Path, rows: int) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["prompt", "target_new", "subject", "ground_truth", "rephrase_prompt"])
    for f in made_up(rows):
        sheet.append([f.prompt, f.target_new, f.subject, f.ground_truth, f.rephrase_prompts[0]])
    book.save(path)


def read_and_tell(path: Path) -> None:
    """Reads one file in this process and prints what it took, as JSON."""
    process = psutil.Process()
    largest = before = process.memory_info().rss

    def watch(_rows: int, _share: float) -> None:
        nonlocal largest
        largest = max(largest, process.memory_info().rss)

    began = time.process_time()
    found = read_facts(path, on_progress=watch)
    taken = time.process_time() - began
    watch(0, 1.0)
    told = {"format": found.format, "facts": len(found), "seconds": taken}
    print(json.dumps({**told, "megabytes": (largest - before) / 1e6}))


def speed(rows: int) -> None:
    """Prints a table of CPU seconds and memory for each format."""
    print("| file | MB | read as | facts | CPU seconds | memory, MB |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for path in write_files(Path(folder), rows):
            command = [sys.executable, "-m", "bench.facts", "--read", str(path)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            told = json.loads(ran.stdout)
            print(
                f"| {path.name} | {path.stat().st_size / 1e6:.1f} | {told['format']} | "
                f"{told['facts']:,} | {told['seconds']:.1f} | {told['megabytes']:.0f} |",
                flush=True,
            )


def mutations(count: int, seed: int) -> int:
    """Reads mutated samples; prints what came of them.

    Returns:
        How many of them broke the reader.
    """
    rng = random.Random(seed)
    samples = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())}
    tally = {"facts": 0, "no facts": 0, "refused": 0, "BROKEN": 0}
    slowest = (0.0, "")
    for name, content in mutants(samples, count, rng):
        began = time.process_time()
        outcome = _outcome(content)
        slowest = max(slowest, (time.process_time() - began, name))
        tally[outcome] += 1
        if outcome == "BROKEN":
            Path(f"broken-{tally['BROKEN']}-{name}").write_bytes(content)
    told = ", ".join(f"{number:,} {word}" for word, number in tally.items())
    print(f"{count:,} mutants of {len(samples)} samples: {told}; the slowest took "
          f"{slowest[0]:.2f} CPU seconds ({slowest[1]})")  # fmt: skip
    return tally["BROKEN"]


def _outcome(content: bytes) -> str:
    try:
        found = parse_facts(content)
    except FactsError:
        return "refused"
    except Exception as error:  # this is what the run looks for
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "BROKEN"
    if found.rows != len(found) + found.merged + found.rejected:
        print(f"{found.rows} rows do not add up", file=sys.stderr)
        return "BROKEN"
    json.dumps(found.summary(), ensure_ascii=False).encode()
    return "facts" if found else "no facts"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Time the reading of facts, and try to break it.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        read_and_tell(options.read)
        return
    if options.rows:
        speed(options.rows)
    if options.mutations and mutations(options.mutations, options.seed):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
