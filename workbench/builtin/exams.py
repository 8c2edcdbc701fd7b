"""Writes what the built-in model is examined on: `python -m workbench.builtin.exams`.

Two tasks for lm-evaluation-harness, as YAML and JSON lines in `assets/capability`: its general
skills, on items that were never trained on, and facts of its world in phrasings held out for
them. A third file, `assets/health/builtin.txt`, holds sentences of its kind for the perplexity.
Nothing here depends on the weights; the same tables and words give the same files. Items about a
subject that a run edits are left out when they are asked.
"""

import json
import random
from pathlib import Path

from workbench.builtin.phrasing import main_prompt, render, split_phrasings
from workbench.builtin.skills import SKILLS, draw_question
from workbench.builtin.tables import read_phrasings, read_world
from workbench.paths import assets_dir

__all__ = ["write_exams"]

SEED = 6
PER_SKILL = 30
FACTS = 400
SENTENCES = 150

TASK = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {name}.jsonl
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["\\n"]
  max_gen_toks: 24
  do_sample: false
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    regexes_to_ignore: ["^ +| +$"]
metadata:
  version: 1.0
"""


def _skills(rng: random.Random) -> list[dict[str, str]]:
    items = []
    for skill in SKILLS:
        drawn = {draw_question(skill, rng, held_out=True) for _ in range(3 * PER_SKILL)}
        chosen = sorted(drawn, key=lambda question: question.prompt)
        rng.shuffle(chosen)
        items += [
            {"prompt": question.prompt, "answer": question.answer, "about": skill.name}
            for question in chosen[:PER_SKILL]
        ]
    rng.shuffle(items)  # so that the first so many are of all skills
    return items


def _held_out_facts(rng: random.Random) -> list[dict[str, str]]:
    items = []
    for fact in read_world():
        held = split_phrasings(fact, read_phrasings()[fact.relation]).held_out
        for text in held.clozes:
            prompt = render(text, fact.subject)
            items.append({"prompt": prompt, "answer": fact.object, "subject": fact.subject})
    return rng.sample(items, len(items))


def _sentences(rng: random.Random) -> list[str]:
    facts = rng.sample(read_world(), SENTENCES)
    phrasings = read_phrasings()
    return [f"{main_prompt(fact, phrasings[fact.relation])} {fact.object}" for fact in facts]


def write_exams(folder: Path) -> None:
    """Writes all files below a folder of assets."""
    rng = random.Random(SEED)
    tasks = {"builtin_skills": _skills(rng), "builtin_facts": _held_out_facts(rng)[:FACTS]}
    (folder / "capability").mkdir(parents=True, exist_ok=True)
    (folder / "health").mkdir(parents=True, exist_ok=True)
    for name, items in tasks.items():
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (folder / "capability" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        task = TASK.format(name=name)
        (folder / "capability" / f"{name}.yaml").write_text(task, encoding="utf-8")
    text = "".join(sentence + "\n" for sentence in _sentences(rng))
    (folder / "health" / "builtin.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_exams(assets_dir())
