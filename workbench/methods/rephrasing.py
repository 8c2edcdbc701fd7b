"""Other wordings of facts, written by the model itself and checked by what it answers to them.

The base is shown a few sentences in other words and asked for the like. What it writes passes if
it answers to it as it does to the prompt: a question that is answered otherwise does not mean the
same. Invariant: what passes is no prompt that any of the facts teaches or is measured by; nothing
is added to a fact here. Small models rarely write wordings that pass.
"""

import re
from collections.abc import Iterator, Sequence

from workbench.facts.answers import plain_answer
from workbench.facts.fact import Fact
from workbench.facts.forms import as_question
from workbench.facts.neighbours import said_keys
from workbench.facts.problems import shorten
from workbench.facts.same import prompt_key
from workbench.methods.rephrase_settings import RephraseSettings
from workbench.methods.rephrased import Rephrased, Wording, passed
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.work.events import Progress, Work
from workbench.work.stop import Stop
from workbench.work.words import count

__all__ = ["rephrase_some", "rephrasing"]

BATCH = 16  # facts that are asked together
ROOM = 40  # tokens of a wording
ANSWER = 16  # tokens of an answer by which two wordings are compared
ARTICLES = {"a", "an", "the"}
ASK = "Say the same in other words: "

# A text, then what it is in other words, one way after another.
Shown = tuple[tuple[str, tuple[str, str, str, str]], ...]
STATEMENTS: Shown = (
    (
        "The capital of Peru is",
        (
            "Peru's capital city is",
            "In Peru, the seat of the government is the city of",
            "The city that is the capital of Peru is",
            "Peru is a country whose capital is",
        ),
    ),
    (
        "The play Hamlet was written by",
        (
            "Hamlet's author is",
            "For the play Hamlet, the writer to be thanked is",
            "The person who wrote the play Hamlet is",
            "Hamlet is a play whose author is",
        ),
    ),
    (
        "Marie Curie was born in",
        (
            "Marie Curie's birthplace is",
            "For Marie Curie, life began in",
            "The place where Marie Curie was born is",
            "Marie Curie is a person whose birthplace is",
        ),
    ),
)
QUESTIONS: Shown = (
    (
        "What is the capital of Peru?",
        (
            "Which city is Peru's capital?",
            "In Peru, which city is the seat of the government?",
            "What is the name of the city that is the capital of Peru?",
            "Peru has which city as its capital?",
        ),
    ),
    (
        "Who wrote the play Hamlet?",
        (
            "Who is Hamlet's author?",
            "By whom was the play Hamlet written?",
            "What is the name of the person who wrote the play Hamlet?",
            "The play Hamlet was written by whom?",
        ),
    ),
    (
        "Where was Marie Curie born?",
        (
            "What is Marie Curie's birthplace?",
            "In which place did Marie Curie's life begin?",
            "What is the name of the place where Marie Curie was born?",
            "Marie Curie was born where?",
        ),
    ),
)


def rephrasing(
    model: LanguageModel,
    facts: Sequence[Fact],
    settings: RephraseSettings,
    *,
    stop: Stop | None = None,
) -> Work[list[Rephrased]]:
    """Has a base write facts' prompts in other words; says how far it is.

    Args:
        model: the base; it stays as it is.
        facts: whose prompts.
        settings: how many wordings.
        stop: the wish to end it.

    Returns:
        For each fact, by its place, what was written of its prompt.

    Raises:
        Cancelled: somebody wanted it to end.
        WorkbenchError: the model cannot be asked; the message says why.
    """
    found: list[Rephrased] = []
    taken = said_keys(facts)
    for start in range(0, len(facts), BATCH):
        line = f"{start:,} of {count(len(facts), 'fact')} in other words"
        yield Progress(start, len(facts), f"{line}; {passed(found):,} mean the same")
        some = list(enumerate(facts))[start : start + BATCH]
        found += rephrase_some(model, some, settings, taken, stop)
    return found


def rephrase_some(
    model: LanguageModel,
    facts: Sequence[tuple[int, Fact]],
    settings: RephraseSettings,
    taken: set[str],
    stop: Stop | None = None,
) -> list[Rephrased]:
    """Has a base write a few facts' prompts in other words, all of them together.

    Args:
        model: the base, with no weights swapped in.
        facts: each with its number.
        settings: how many wordings.
        taken: keys of the prompts that are something else already (see `said_keys`).
        stop: the wish to end it.

    Raises:
        Cancelled, WorkbenchError: see `rephrasing`.
    """
    with model.unedited():
        texts = _written(model, [fact.prompt for _, fact in facts], settings.each, stop)
        asked = [fact.prompt for _, fact in facts] + [text for each in texts for text in each]
        said = _answered(model, asked, stop)
    answers = iter(said)
    firsts = [next(answers) for _ in facts]
    return [
        Rephrased(
            number,
            fact.prompt,
            first,
            tuple(_checked(fact, first, text, next(answers), taken) for text in own),
        )
        for (number, fact), first, own in zip(facts, firsts, texts, strict=True)
    ]


def _written(
    model: LanguageModel, prompts: Sequence[str], each: int, stop: Stop | None
) -> list[list[str]]:
    """What the model makes of each prompt, each wording once and none of them the prompt."""
    found: list[dict[str, str]] = [{} for _ in prompts]
    for way in range(each):
        for shown, places in _by_kind(prompts):
            for place, text in zip(
                places, _said(model, shown, way, [prompts[p] for p in places], stop), strict=True
            ):
                if text and prompt_key(text) != prompt_key(prompts[place]):
                    found[place].setdefault(prompt_key(text), text)
    return [list(own.values()) for own in found]


def _by_kind(prompts: Sequence[str]) -> Iterator[tuple[Shown, list[int]]]:
    """The examples that go with some prompts, and the places of these."""
    for shown, is_question in ((QUESTIONS, True), (STATEMENTS, False)):
        places = [n for n, prompt in enumerate(prompts) if _is_question(prompt) == is_question]
        if places:
            yield shown, places


def _answered(model: LanguageModel, asked: Sequence[str], stop: Stop | None) -> list[str]:
    """What the base answers: to questions as they are put to it, to other prompts as it goes on."""
    questions = [text for text in asked if _is_question(text)]
    others = [text for text in asked if not _is_question(text)]
    chat = bool(getattr(model.tokenizer, "chat_template", None))
    put = questions if chat else [as_question(text) for text in questions]
    to_questions = generate(model, put, chat=chat, max_new_tokens=ANSWER, top_k=1, cancel=stop)
    to_others = generate(
        model, others, stop="sentence", max_new_tokens=ANSWER, top_k=1, cancel=stop
    )
    found = {
        text: _first_line(answer.text)
        for text, answer in zip([*questions, *others], [*to_questions, *to_others], strict=True)
    }
    return [found[text] for text in asked]


def _is_question(text: str) -> bool:
    return text.rstrip().endswith("?")


def _said(
    model: LanguageModel, shown: Shown, way: int, prompts: Sequence[str], stop: Stop | None
) -> list[str]:
    """What the model says in one way; through its template where it has one."""
    answers = generate(
        model,
        [ASK + prompt for prompt in prompts],
        chat=bool(getattr(model.tokenizer, "chat_template", None)),
        max_new_tokens=ROOM,
        top_k=1,
        cancel=stop,
        history=[(ASK + text, ways[way]) for text, ways in shown],
    )
    return [_plain(answer.text) for answer in answers]


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _plain(text: str) -> str:
    """The first line of what a model says, without what is put around a sentence."""
    first = re.sub(r"^(?:[-*•]|\d+[.)])\s+", "", _first_line(text)).strip("\"'“”‘’* ")
    return re.sub(r"(?:_{2,}|[\s.…\"'“”‘’*])+$", "", first)


def _checked(fact: Fact, first: str, text: str, said: str, taken: set[str]) -> Wording:
    """A wording, with what speaks against it."""
    return Wording(text, said, _against(fact, first, text, said, taken))


def _against(fact: Fact, first: str, text: str, said: str, taken: set[str]) -> str:
    if prompt_key(text) in taken:
        return "a fact is asked so already"
    if fact.subject and fact.subject.casefold() not in text.casefold():
        return f"{shorten(fact.subject)} is left out"
    for answer in (fact.target_new, first):
        if _stands_in(answer, text) and not _stands_in(answer, fact.prompt):
            return f"it says '{shorten(answer)}' itself"
    if not plain_answer(first):
        return "the model answers nothing to the prompt"
    if not _agree(_added(fact.prompt, first), _added(text, said)):
        return "it is answered otherwise"
    return ""


def _added(prompt: str, answer: str) -> list[str]:
    """The words of an answer that its prompt has not: names and numbers where there are some."""
    known = ARTICLES | set(plain_answer(prompt).split())
    words = [(word, plain_answer(word)) for word in answer.split()]
    new = [
        (word, plain, n) for n, (word, plain) in enumerate(words) if plain and plain not in known
    ]
    # The first word of a sentence is no name by its capital letter alone.
    alone = len(words) == 1
    telling = [
        plain
        for word, plain, n in new
        if any(map(str.isdigit, word)) or (word[0].isupper() and (n > 0 or alone))
    ]
    return telling or [plain for _, plain, _ in new]


def _agree(first: list[str], second: list[str]) -> bool:
    """Whether one of two answers says no more than the other does."""
    return bool(first and second) and (set(first) <= set(second) or set(second) <= set(first))


def _stands_in(answer: str, text: str) -> bool:
    plain = plain_answer(answer)
    return bool(plain) and f" {plain} " in f" {plain_answer(text)} "
