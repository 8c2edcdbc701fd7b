"""Measures what the workbench makes of faults: `python -m bench.faults`."""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.faults.disk import DiskFault, can_mount, full_disk, read_only
from bench.faults.endings import no_memory, processes_left
from bench.faults.kills import KINDS, kill_often
from bench.faults.long_use import long_use

PARTS = ("kills", "disk", "memory", "ending", "long")


def main() -> int:
    """Runs the parts that are asked for and prints their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when none is named")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--probes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    asked = parser.parse_args()
    began = time.monotonic()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, seed {asked.seed}")
    parts: dict[str, Callable[[], bool]] = {
        "kills": lambda: _kills(asked.kills, asked.seed),
        "disk": _disk,
        "memory": _memory,
        "ending": _ending,
        "long": lambda: _long(asked.probes, asked.runs),
    }
    fine = [parts[name]() for name in asked.parts or PARTS]
    print(f"\n{(time.monotonic() - began) / 60:.1f} minutes")
    return 0 if all(fine) else 1


def _kills(kills: int, seed: int) -> bool:
    print("\n| job | kills | found as | lost | same weights | longest until done, s |")
    print("| --- | ---: | --- | --- | ---: | ---: |")
    chance, fine = random.Random(seed), True
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as place:
            found = kill_often(Path(place) / "sessions", kind, kills // len(KINDS), chance)
        states = ", ".join(f"{state} {n}" for state, n in found.ended.most_common())
        lost = "; ".join(found.lost) or "nothing"
        bits = f"{found.bits} of {found.kills}" if kind == "edit" else ""
        print(f"| {kind} | {found.kills} | {states} | {lost} | {bits} | {found.seconds:.1f} |")
        fine = fine and not found.lost
    return fine


def _disk() -> bool:
    if not can_mount():
        print("\nA full disk: not tried, because this user may not mount one.")
        return True
    return all([_disk_table("full", full_disk()), _disk_table("read-only", read_only())])


def _disk_table(name: str, faults: list[DiskFault]) -> bool:
    print(f"\n| {name} disk | job | says | then | sound |\n| --- | --- | --- | --- | --- |")
    for fault in faults:
        sound = "yes" if fault.sound else "no"
        print(f"| {fault.kind} | {fault.state} | {fault.error} | {fault.after} | {sound} |")
    return all(fault.is_clear and fault.after == "done" and fault.sound for fault in faults)


def _memory() -> bool:
    with tempfile.TemporaryDirectory() as place:
        found = no_memory(Path(place) / "sessions")
    by = "by the kernel, at a limit" if found.by_kernel else "by SIGKILL, as the kernel would"
    print(f"\nThe worker was ended {by}: the job was {found.state}, '{found.error}'.")
    print(f"The next job: {found.after}.")
    return found.after == "done" and "memory" in found.error


def _ending() -> bool:
    with tempfile.TemporaryDirectory() as place:
        left = processes_left(Path(place) / "sessions")
    print(f"\nProcesses left after SIGTERM in the middle of a run: {len(left)} {left or ''}")
    return not left


def _long(probes: int, runs: int) -> bool:
    with tempfile.TemporaryDirectory() as place:
        found = long_use(Path(place) / "sessions", probes, runs)
    print("\n| process | after | memory, MB | open files |\n| --- | --- | ---: | ---: |")
    for held in found:
        print(f"| {held.name} | {held.when} | {held.megabytes:.0f} | {held.files} |")
    first = {held.name: held for held in reversed(found)}
    last = {held.name: held for held in found}
    return all(
        last[name].files <= first[name].files + 3
        and last[name].megabytes < 1.15 * first[name].megabytes + 30
        for name in last
    )


if __name__ == "__main__":
    raise SystemExit(main())
