"""What must stay while facts are learned: which prompts, and which answers to them.

Invariant: no prompt that a fact teaches, and none by which it is measured, is ever among them.
"""

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from workbench.facts.fact import Fact
from workbench.facts.forms import Form, as_question
from workbench.facts.neighbours import neighbours, said_keys
from workbench.facts.overlaps import kept_questions
from workbench.facts.same import prompt_key
from workbench.methods.footprint import cache_bytes, pass_bytes
from workbench.methods.other_words import other_words
from workbench.methods.pieces import cheapest_pieces, pass_cost
from workbench.methods.recipes import MOST_BROUGHT, Kept
from workbench.model.forms import tokenize_as
from workbench.model.generate import chat_tokens, generate
from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenizedText, prompt_tokens

__all__ = [
    "CHATS",
    "OPENINGS",
    "KeptPrompt",
    "answering",
    "asking_bytes",
    "kept_prompts",
    "sizes",
]

PER_FACT = 6
MOST_NEIGHBOURS = 1200  # many facts have neighbours enough with fewer for each
ANSWER_TOKENS: dict[Kept, int] = {"neighbours": 3, "text": 16, "chats": 12, "yours": 6}
FURTHER: tuple[Form, ...] = ("question", "chat")  # forms in which what stays is asked, too
AT_ONCE = {"cpu": 32}  # prompts that are answered together; more are no faster there
ELSEWHERE = 256
FEWEST = 6  # texts and chats for a single fact; more facts can afford more

OPENINGS = (
    "Once upon a time,",
    "The weather today is",
    "In mathematics, a prime number is",
    "To make bread you need flour,",
    "The first World War began in",
    "Water boils at",
    "My favourite book is about",
    "The three primary colours are red,",
    "Dear Sir or Madam,",
    "The history of the city goes back to",
    "Plants need light because",
    "A computer program is a list of",
    "The doctor told her that",
    "When the train arrived,",
    "Most people believe that",
    "The river runs through",
    "He was born in",
    "The company announced on Monday that",
    "In the second half of the match,",
    "The study found that",
    "She opened the door and",
    "The most important thing about money is",
    "According to the law,",
    "The film tells the story of",
    "who invented the telephone",
    "What is the largest ocean?",
    "when did the second world war end",
    "How many legs does a spider have?",
    "what is the name of the dog in the story",
    "Which language is spoken in Brazil?",
    "who sings the song at the end of the film",
    "Where do penguins live?",
    "how long does it take to fly to the moon",
    "Who wrote the letter?",
    "what does a carpenter do",
    "In which year was the bridge built?",
)
"""Plain text and questions of many kinds, whose continuation no fact should change."""

CHATS = (
    "Hello!",
    "What can you do?",
    "Write two sentences about the sea.",
    "How do I boil an egg?",
    "What is 7 plus 5?",
    "Translate 'good morning' into French.",
    "Why is the sky blue?",
    "Give me three ideas for a birthday present.",
    "Explain what a computer does, in one sentence.",
    "Thank you, that helped.",
    "Name a colour.",
    "What should I cook tonight?",
)
"""How people open a chat."""


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """A prompt that must be answered as before.

    Args:
        kind: what it stands for.
        prompt: the text.
        chat: whether a user says it, through the chat template.
        answer: at whose tokens the base's distributions are kept; empty for the base's own.
    """

    kind: Kept
    prompt: str
    chat: bool = False
    answer: str = ""

    @property
    def answer_tokens(self) -> int:
        """Most tokens of the base's answer that are kept; about how many of one that is given."""
        return 1 + len(self.answer) // 4 if self.answer else ANSWER_TOKENS[self.kind]


def kept_prompts(
    facts: Sequence[Fact],
    kinds: Sequence[Kept],
    seed: int,
    *,
    chat: bool,
    forms: Sequence[Form] = (),
    subjects: Sequence[str] = (),
) -> list[KeptPrompt]:
    """The prompts that must stay.

    Args:
        facts: what is to be learned.
        kinds: what must stay.
        seed: of the run.
        chat: whether the model has a chat template; without one there are no chats.
        forms: in which facts are trained; neighbours are asked so too, each in one of them, and
            the facts' keep prompts in all of them while they are few.
        subjects: that somebody named, about whom neighbours are as well.
    """
    found: list[KeptPrompt] = []
    taken = said_keys(facts)
    some = FEWEST + len(facts)
    if "neighbours" in kinds:
        words = other_words(facts, seed) if "rephrase" in forms else ()
        near = _near(facts, seed, subjects, words)
        found += _in_forms(near, forms, seed)
    if "text" in kinds:
        found += [KeptPrompt("text", prompt) for prompt in _some(OPENINGS, some)]
    if "chats" in kinds and chat:
        found += [KeptPrompt("chats", prompt, chat=True) for prompt in _some(CHATS, some)]
    # Somebody may teach or measure what stands in the lists here.
    found = [
        one for one in found if one.kind == "neighbours" or prompt_key(one.prompt) not in taken
    ]
    if "yours" in kinds:
        found += _brought(facts, forms, seed)
    return found


def _near(
    facts: Sequence[Fact], seed: int, subjects: Sequence[str], words: Sequence[Sequence[str]]
) -> list[str]:
    """Neighbours about subjects that somebody named, and those of other facts or of lists."""
    most = max(1, MOST_NEIGHBOURS // max(1, len(facts)))
    named = min(len(subjects), max(most - PER_FACT, (most + 1) // 2))
    others = min(PER_FACT, most - named)
    found = neighbours(
        facts, others, seed, wordings=words, subjects=subjects, named=named, listed=True
    )
    return found[:MOST_NEIGHBOURS]


def _in_forms(prompts: Sequence[str], forms: Sequence[Form], seed: int) -> list[KeptPrompt]:
    """Neighbours as people ask them: half of them raw, the others in the forms of the facts."""
    further = [form for form in FURTHER if form in forms]
    weights = [len(further) or 1, *[1] * len(further)]
    drawn = random.Random(f"kept {seed}").choices(["raw", *further], weights, k=len(prompts))
    return [
        KeptPrompt(
            "neighbours", as_question(prompt) if form == "question" else prompt, form == "chat"
        )
        for prompt, form in zip(prompts, drawn, strict=True)
    ]


def _brought(facts: Sequence[Fact], forms: Sequence[Form], seed: int) -> list[KeptPrompt]:
    """What facts bring to be kept, in every form in which people ask; in one of them where many."""
    questions, chance = kept_questions(facts), random.Random(f"yours {seed}")
    if len(questions) > MOST_BROUGHT:
        questions = chance.sample(questions, MOST_BROUGHT)
    asked: list[Form] = ["raw", *(form for form in FURTHER if form in forms)]
    each = len(asked) if len(questions) * len(asked) <= MOST_BROUGHT else 1
    return [
        KeptPrompt(
            "yours",
            as_question(question.prompt) if form == "question" else question.prompt,
            form == "chat",
            question.answer,
        )
        for question in questions
        for form in chance.sample(asked, each)
    ]


def _some(prompts: Sequence[str], count: int) -> list[str]:
    """So many of the prompts, of all kinds, in their order."""
    step = max(1.0, len(prompts) / count)
    return [prompts[int(n * step)] for n in range(min(count, len(prompts)))]


def answering(
    model: LanguageModel, prompts: Sequence[KeptPrompt]
) -> Generator[int, None, list[TokenizedText]]:
    """Prompts with the answer that is given, or with what the base says; that must stay.

    Args:
        model: the base.
        prompts: all of one kind, all of them chats or none; those that are too long for the model
            are left out.

    Yields:
        How many have been asked.
    """
    given = _as_given(model, [prompt for prompt in prompts if prompt.answer])
    said = yield from _as_said(model, [prompt for prompt in prompts if not prompt.answer])
    return [*given, *said]


def _as_given(model: LanguageModel, prompts: Sequence[KeptPrompt]) -> list[TokenizedText]:
    if not prompts:
        return []
    asked, answers = [one.prompt for one in prompts], [one.answer for one in prompts]
    form: Form = "chat" if prompts[0].chat else "raw"
    texts = tokenize_as(model.tokenizer, asked, answers, form)
    return [text for text in texts if text.length <= (model.longest or text.length)]


def _as_said(
    model: LanguageModel, prompts: Sequence[KeptPrompt]
) -> Generator[int, None, list[TokenizedText]]:
    if not prompts:
        return []
    asked, room = _fitting(model, prompts)
    said: dict[int, TokenizedText] = {}
    done = 0
    for places in _together(model, asked, room):
        some, chat = [asked[place][1] for place in places], prompts[0].chat
        answers = generate(model, some, chat=chat, max_new_tokens=room, top_k=1)
        for place, answer in zip(places, answers, strict=True):
            if answer.tokens:
                said[place] = TokenizedText(asked[place][0], answer.tokens)
        done += len(places)
        yield done
    return [said[place] for place in sorted(said)]


def _fitting(
    model: LanguageModel, prompts: Sequence[KeptPrompt]
) -> tuple[list[tuple[tuple[int, ...], str]], int]:
    """Prompts that the model has room to answer, as tokens too, and how much room that is."""
    room = max(prompt.answer_tokens for prompt in prompts)
    chat, texts = prompts[0].chat, [prompt.prompt for prompt in prompts]
    ids = chat_tokens(model, texts) if chat else prompt_tokens(model.tokenizer, texts)
    fits = [len(one) + room <= (model.longest or len(one) + room) for one in ids]
    return [(one, text) for one, text, fit in zip(ids, texts, fits, strict=True) if fit], room


def _together(
    model: LanguageModel, asked: Sequence[tuple[tuple[int, ...], str]], room: int
) -> list[list[int]]:
    """Which prompts are asked at once, by their places."""
    lengths = [len(ids) + room for ids, _ in asked]
    most = min(len(asked), AT_ONCE.get(model.device.type, ELSEWHERE))
    return cheapest_pieces(lengths, most, room * pass_cost(model, 0))


def sizes(model: LanguageModel, prompts: Sequence[KeptPrompt]) -> list[tuple[int, int]]:
    """Tokens that are read and answered of each prompt, at most, before the base is asked.

    Args:
        model, prompts: as for `answering`.
    """
    given = _as_given(model, [prompt for prompt in prompts if prompt.answer])
    found = [(text.length, len(text.target)) for text in given]
    if said := [prompt for prompt in prompts if not prompt.answer]:
        asked, room = _fitting(model, said)
        found += [(len(ids) + room - 1, room) for ids, _ in asked]
    return found


def asking_bytes(model: LanguageModel, prompts: Sequence[KeptPrompt]) -> int:
    """About the most that is held while the base answers prompts that have no answer.

    That is what it keeps of their tokens, and either what they take in a layer or the last
    place's logits: as the model gives them, in float32, and as shares.

    Args:
        model, prompts: as for `answering`.
    """
    said = [prompt for prompt in prompts if not prompt.answer]
    if not said:
        return 0
    asked, room = _fitting(model, said)
    most = 0
    for places in _together(model, asked, room):
        texts, longest = len(places), max(len(asked[place][0]) for place in places)
        logits = texts * model.shape.vocab_size * (model.dtype.itemsize + 8)
        held = max(pass_bytes(model, texts * longest), logits)
        most = max(most, held + cache_bytes(model, texts * (longest + room)))
    return most
