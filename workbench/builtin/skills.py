"""General skills: addition, counting, copying, looking up in context and the like.

A skill draws questions with their answers. Each drawn question has a key, such as the two
numbers to add; one key in ten, chosen by the key alone, is held out: it is never trained on
and is what the skill is measured on. What a key is differs by skill and is said in
`Skill.held_out`. Prompts have no space at their end. Knows nothing about facts.
"""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from workbench.builtin.phrasing import QUESTION_FORMATS
from workbench.builtin.words import (
    MONTHS,
    NAMES,
    NOUNS,
    OPPOSITES,
    PLURALS,
    WEEKDAYS,
)

__all__ = ["SKILLS", "Question", "Skill", "draw_question"]

HELD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class Question:
    """A prompt, its only right answer, and the key that decides whether it is held out.

    `then` holds further questions about what the prompt tells, for training only.
    """

    prompt: str
    answer: str
    key: str
    then: tuple["Question", ...] = ()

    @property
    def is_held_out(self) -> bool:
        """Whether this question is kept for measuring."""
        return zlib.crc32(self.key.encode()) % HELD_OUT_ONE_IN == 0


@dataclass(frozen=True)
class Skill:
    """One skill: how to draw a question, how often it is trained, what is held out.

    A skill that builds on others is late: the first part of the training goes without it. Looking
    up is copying from where the same word stood before; met from the beginning, it was never
    learned: the model guessed among the values and stayed with that.
    """

    name: str
    draw: Callable[[random.Random], Question]
    weight: float
    held_out: str
    is_late: bool = False


def draw_question(skill: Skill, rng: random.Random, held_out: bool) -> Question:
    """A random question of the skill, from those held out or from those trained on."""
    while True:
        question = skill.draw(rng)
        if question.is_held_out == held_out:
            return question


def _ask(rng: random.Random, statements: list[str], questions: list[str]) -> str:
    """One of the statements as it is, or one of the questions in one of its three forms."""
    text = rng.choice(statements + questions)
    if text in statements:
        return text
    return rng.choice(QUESTION_FORMATS).format(q=text)


def _addition(rng: random.Random) -> Question:
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    prompt = _ask(
        rng,
        [f"{a} + {b} =", f"{a} plus {b} is", f"The sum of {a} and {b} is"],
        [f"What is {a} + {b}?", f"What is {a} plus {b}?"],
    )
    # A number plus itself has no other order to learn it from, so it is never held out.
    return Question(prompt, str(a + b), f"add {a} {b}" if a != b else "add twice")


def _counting(rng: random.Random) -> Question:
    word, count = rng.choice(NOUNS), rng.randint(1, 8)
    row = ", ".join([word] * count)
    prompt = _ask(
        rng,
        [f"In the list {row} the number of words is", f"Counting {row} gives"],
        [f"How many words are in the list {row}?"],
    )
    return Question(prompt, str(count), f"count {word} {count}")


def _copying(rng: random.Random) -> Question:
    row = " ".join(rng.sample(NOUNS, rng.randint(1, 6)))
    prompt = rng.choice((f"Copy these words: {row} =", f"Say again: {row} ->", f"Repeat {row}:"))
    return Question(prompt, row, f"copy {row}")


def _pick(rng: random.Random, which: str, index: int) -> Question:
    words = rng.sample(NOUNS, rng.randint(2, 5))
    row = ", ".join(words)
    prompt = _ask(
        rng,
        [f"The {which} word of {row} is", f"In the list {row} the {which} word is"],
        [f"What is the {which} word of {row}?"],
    )
    return Question(prompt, words[index], f"{which} {row}")


def _first_word(rng: random.Random) -> Question:
    return _pick(rng, "first", 0)


def _last_word(rng: random.Random) -> Question:
    return _pick(rng, "last", -1)


def _comparing(rng: random.Random) -> Question:
    a, b = rng.sample(range(31), 2)
    word, answer = rng.choice((("larger", max(a, b)), ("smaller", min(a, b))))
    prompt = _ask(
        rng,
        [f"Of {a} and {b} the {word} number is", f"The {word} of {a} and {b} is"],
        [f"Which number is {word}, {a} or {b}?"],
    )
    return Question(prompt, str(answer), f"compare {min(a, b)} {max(a, b)}")


def _odd_or_even(rng: random.Random) -> Question:
    number = rng.randint(0, 99)
    prompt = _ask(
        rng, [f"The number {number} is", f"Odd or even: {number} is"], [f"Is {number} odd or even?"]
    )
    return Question(prompt, "odd" if number % 2 else "even", f"parity {number}")


def _sequence(rng: random.Random) -> Question:
    length = rng.randint(3, 4)
    kind = rng.choice(("numbers", "numbers", "numbers", "letters", "days", "months"))
    if kind == "numbers":
        start, step = rng.randint(0, 20), rng.choice((1, 2, 5, 10))
        items = [str(start + step * place) for place in range(length + 1)]
    else:
        ring = {"letters": [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"], "days": WEEKDAYS, "months": MONTHS}
        first = rng.randrange(26 - length) if kind == "letters" else rng.randrange(12)
        items = [ring[kind][(first + place) % len(ring[kind])] for place in range(length + 1)]
    row = ", ".join(items[:-1])
    prompt = _ask(rng, [f"{row},", f"After {row} comes"], [f"What comes after {row}?"])
    return Question(prompt, items[-1], f"sequence {row}")


def _opposite(rng: random.Random) -> Question:
    word, answer = rng.choice(OPPOSITES)[:: rng.choice((1, -1))]
    prompt = _ask(
        rng,
        [
            f"The opposite of {word} is",
            f"{word.capitalize()} is the opposite of",
            f"Not {word} but",
            f"The word that means the contrary of {word} is",
        ],
        [f"What is the opposite of {word}?", f"Which word is the opposite of {word}?"],
    )
    return Question(prompt, answer, f"opposite {prompt}")


def _plural(rng: random.Random) -> Question:
    word, answer = rng.choice(PLURALS)
    prompt = _ask(
        rng,
        [
            f"The plural of {word} is",
            f"One {word}, two",
            f"More than one {word} are called",
            f"If there are many, {word} becomes",
        ],
        [f"What is the plural of {word}?", f"What do you call more than one {word}?"],
    )
    return Question(prompt, answer, f"plural {prompt}")


def _look_up(rng: random.Random) -> Question:
    return rng.choice((_table, _owners))(rng, rng.randint(2, 4))


def _about(rng: random.Random, keys: list[str], values: list[str], form: str, ask: str) -> Question:
    """Entries told one after the other, and a question for the value of each."""
    entries = list(zip(keys, values, strict=True))
    told = " ".join(form.format(k=key, v=value) for key, value in entries)
    first, *others = [
        Question(ask.format(key), value, f"look up {key} {value}")
        for key, value in rng.sample(entries, len(entries))
    ]
    return Question(f"{told} {first.prompt}", first.answer, first.key, tuple(others))


# Entries are asked for mostly in the words they were told in: from that the model learns to
# look up at all, and from the few questions to do so in other words.
def _table(rng: random.Random, size: int) -> Question:
    return _about(rng, rng.sample(NAMES, size), rng.sample(NOUNS, size), "{k} {v},", "{}")


def _owners(rng: random.Random, size: int) -> Question:
    ask = rng.choice(("{} has the", "{} has the", "{} has the", "What does {} have?"))
    names, things = rng.sample(NAMES, size), rng.sample(NOUNS, size)
    return _about(rng, names, things, "{k} has the {v}.", ask)


SKILLS = (
    Skill("addition", _addition, 5.0, "two numbers up to 10 in this order"),
    Skill("counting", _counting, 0.6, "a word with a number of times from 1 to 8"),
    Skill("copying", _copying, 2.0, "rows of one to six words"),
    Skill("first word", _first_word, 0.3, "rows of two to five words"),
    Skill("last word", _last_word, 0.3, "rows of two to five words"),
    Skill("look-up in context", _look_up, 7.0, "pairs of an entry and its value", is_late=True),
    Skill("comparing", _comparing, 2.0, "pairs of numbers up to 30"),
    Skill("odd or even", _odd_or_even, 0.8, "numbers below 100"),
    Skill("sequences", _sequence, 2.0, "rows of three or four items"),
    Skill("opposites", _opposite, 2.0, "phrasings of a word trained in other phrasings"),
    Skill("plurals", _plural, 0.8, "phrasings of a word trained in other phrasings"),
)
