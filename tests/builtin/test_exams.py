"""What the built-in model is examined on: repeatable, and never trained on."""

import json
import zlib
from pathlib import Path

from workbench.builtin.exams import write_exams
from workbench.builtin.skills import SKILLS
from workbench.paths import assets_dir

FILES = ("builtin_skills.jsonl", "builtin_facts.jsonl", "builtin_skills.yaml", "builtin_facts.yaml")


def test_the_shipped_exams_are_those_that_the_script_writes(tmp_path: Path) -> None:
    write_exams(tmp_path)
    for name in FILES:
        written = (tmp_path / "capability" / name).read_bytes()
        shipped = (assets_dir() / "capability" / name).read_bytes()
        assert zlib.crc32(written) == zlib.crc32(shipped), f"{name}: run workbench.builtin.exams"


def test_every_skill_is_examined_and_the_first_items_are_of_many() -> None:
    text = (assets_dir() / "capability" / "builtin_skills.jsonl").read_text(encoding="utf-8")
    about = [json.loads(line)["about"] for line in text.splitlines()]
    assert set(about) == {skill.name for skill in SKILLS}
    assert len(set(about[:40])) >= len(SKILLS) - 2
