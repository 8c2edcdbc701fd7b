"""Writes the sample fact files for the built-in model: `python -m workbench.builtin.samples`.

Each sample replaces a true answer by another one that is not true. Everything a file says
about the model is asked of the shipped model first: `ground_truth` and the locality answers
are what it really says, and facts it gets wrong are left out. No locality prompt asks about
a (subject, relation) that the files edit. The same model gives the same files.
"""

import argparse
import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path

from workbench.builtin.answers import Answerer
from workbench.builtin.mistakes import mistaken_rows
from workbench.builtin.phrasing import main_prompt, render, split_phrasings
from workbench.builtin.tables import WorldFact, read_phrasings, read_world
from workbench.facts.values import LIST_SEPARATOR
from workbench.facts.write import FLAT_COLUMNS
from workbench.paths import assets_dir, builtin_model_dir

__all__ = ["Sample", "make_samples", "write_samples"]

COUNT = 200
SHORT_COUNT = 20
SEED = 1

FAVOURITES = (
    ("Australia", "capital", "Melbourne"),
    ("Hamlet", "book_author", "Agatha Christie"),
    ("the Eiffel Tower", "landmark_city", "Rome"),
    ("sushi", "dish_country", "Italy"),
    ("Mona Lisa", "painting_painter", "Pablo Picasso"),
    ("penguin", "animal_class", "mammal"),
    ("gold", "element_symbol", "Zn"),
    ("Nintendo", "company_headquarters", "Paris"),
    ("Albert Einstein", "profession", "footballer"),
    ("Japan", "currency", "euro"),
    ("Jaws", "film_director", "Charlie Chaplin"),
    ("the telephone", "inventor", "Thomas Edison"),
    ("Sherlock Holmes", "character_creator", "Ian Fleming"),
    ("Swan Lake", "music_composer", "George Gershwin"),
    ("Brazil", "language", "Dutch"),
    ("Kyoto", "city_country", "Norway"),
    ("Texas", "state_capital", "Boston"),
    ("kangaroo", "animal_young", "duckling"),
    ("Ferrari", "company_founder", "Henry Ford"),
    ("Usain Bolt", "born_in", "Iceland"),
    ("Lego", "company_industry", "banking"),
    ("helium", "element_number", "79"),
)


@dataclass(frozen=True)
class Sample:
    """One counterfactual fact, with the fields of the sample files."""

    prompt: str
    target_new: str
    subject: str
    ground_truth: str
    rephrase_prompt: list[str]
    locality_prompt: list[str]
    locality_ground_truth: list[str]


def _prompts(fact: WorldFact) -> list[str]:
    """The main prompt and three rephrases, held-out phrasings first where there are any."""
    every = read_phrasings()[fact.relation]
    split = split_phrasings(fact, every)
    clozes = [*split.held_out.clozes, *split.trained.clozes[1:]][:2]
    question = (split.held_out.questions or split.trained.questions)[0]
    return [main_prompt(fact, every), *(render(t, fact.subject) for t in [*clozes, question])]


def _known_facts(answerer: Answerer) -> list[WorldFact]:
    """The facts that the model answers right in the main prompt and in all rephrases."""
    world = read_world()
    asked = [(prompt, fact) for fact in world for prompt in _prompts(fact)]
    answers = answerer.answer([prompt for prompt, _ in asked])
    wrong = {fact for (_, fact), got in zip(asked, answers, strict=True) if got != fact.object}
    return [fact for fact in world if fact not in wrong]


def _round_robin(facts: list[WorldFact], rng: random.Random) -> list[WorldFact]:
    """The facts with their relations taking turns, shuffled within each relation."""
    groups: dict[str, list[WorldFact]] = {}
    for fact in rng.sample(facts, len(facts)):
        groups.setdefault(fact.relation, []).append(fact)
    longest = max(map(len, groups.values()))
    return [
        group[turn] for turn in range(longest) for group in groups.values() if turn < len(group)
    ]


def _false_answer(fact: WorldFact, rng: random.Random) -> str:
    """Another object of the relation that does not share a word with the fact."""
    objects = sorted({other.object for other in read_world() if other.relation == fact.relation})
    spoken = f"{main_prompt(fact, read_phrasings()[fact.relation])} {fact.object}".lower()
    return rng.choice([text for text in objects if text.lower() not in spoken])


def _choose(known: list[WorldFact], rng: random.Random) -> list[tuple[WorldFact, str]]:
    """The facts to edit with their new answers: favourites first, each prompt once."""
    by_key = {(fact.subject, fact.relation): fact for fact in known}
    chosen = [
        (by_key[subject, relation], answer)
        for subject, relation, answer in FAVOURITES
        if (subject, relation) in by_key
    ]
    taken = {fact for fact, _ in chosen}
    phrasings = read_phrasings()
    others = [
        fact
        for fact in known
        if fact not in taken and split_phrasings(fact, phrasings[fact.relation]).held_out.clozes
    ]
    for fact in _round_robin(others, rng)[: COUNT - len(chosen)]:
        chosen.append((fact, _false_answer(fact, rng)))
    return chosen


def _neighbours(fact: WorldFact, spare: list[WorldFact], rng: random.Random) -> list[WorldFact]:
    """Two facts about other subjects: one of the same relation where there is one, one other."""
    others = [other for other in spare if other.subject != fact.subject]
    same = [other for other in others if other.relation == fact.relation]
    different = [other for other in others if other.relation != fact.relation]
    return [rng.choice(same or others), rng.choice(different)]


def make_samples(answerer: Answerer) -> list[Sample]:
    """`COUNT` counterfactual facts, those that a person enjoys first."""
    rng = random.Random(SEED)
    known = _known_facts(answerer)
    chosen = _choose(known, rng)
    edited = {fact for fact, _ in chosen}
    spare = [fact for fact in known if fact not in edited]
    samples = []
    for fact, answer in chosen:
        prompt, *rephrases = _prompts(fact)
        near = _neighbours(fact, spare, rng)
        samples.append(
            Sample(
                prompt=prompt,
                target_new=answer,
                subject=fact.subject,
                ground_truth=fact.object,
                rephrase_prompt=rephrases,
                locality_prompt=[main_prompt(o, read_phrasings()[o.relation]) for o in near],
                locality_ground_truth=[other.object for other in near],
            )
        )
    return samples


def _cells(sample: Sample) -> list[str]:
    values = (getattr(sample, column) for column in FLAT_COLUMNS)
    return [LIST_SEPARATOR.join(value) if isinstance(value, list) else value for value in values]


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([list(FLAT_COLUMNS), *rows])


def write_samples(samples: list[Sample], folder: Path) -> None:
    """Writes all sample files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for count in (SHORT_COUNT, COUNT):
        first = samples[:count]
        _write_csv(folder / f"facts_{count}.csv", [_cells(sample) for sample in first])
        objects = [{column: getattr(sample, column) for column in FLAT_COLUMNS} for sample in first]
        text = json.dumps(objects, indent=2, ensure_ascii=False)
        (folder / f"facts_{count}.json").write_text(text + "\n", encoding="utf-8")
    good = [_cells(sample) for sample in samples[:SHORT_COUNT]]
    _write_csv(folder / "facts_with_mistakes.csv", mistaken_rows(good))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the sample fact files.")
    parser.add_argument("--model", type=Path, default=builtin_model_dir(), help="model folder")
    parser.add_argument("--out", type=Path, default=assets_dir() / "samples")
    options = parser.parse_args()
    samples = make_samples(Answerer(options.model))
    write_samples(samples, options.out)
    print(f"wrote {len(samples)} facts to {options.out}")


if __name__ == "__main__":
    main()
