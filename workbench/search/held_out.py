"""What a sweep scores a location by: prompts that are never trained on, and what the base says.

Several kinds of texts stand in one table, so that their hidden states advance together: rephrases
with the new answer, locality and neutral prompts with the base's own answer, the facts in other
forms, and plain text. All are judged teacher-forced, without generation; the base's answers are
generated once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise

import torch

from workbench.errors import ModelError
from workbench.facts.same import prompt_key
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import TOKENS_PER_PASS, HiddenStates, kept_logits, settling
from workbench.model.tokens import TokenizedText, TokenTable, prompt_tokens, tokenize
from workbench.search.holds import Judged, facts_in_form, judged, plain_passages
from workbench.search.neutral import BUILT_IN, choose_neutral
from workbench.search.sample import Sample
from workbench.work.events import follow

__all__ = [
    "ANSWER_TOKENS",
    "SHORT_ANSWER",
    "HeldOut",
    "HeldOutScores",
    "held_out_scores",
    "hold_out",
]

Shares = tuple[float | None, ...]

ANSWER_TOKENS = 32
SHORT_ANSWER = 8
"""Most tokens of an answer where time is short; most of the work of a score is the answers."""

# More than so many questions about one fact tell little more, and cost as much as the others.
REPHRASES_EACH = 2
LOCALITY_EACH = 2


@dataclass(frozen=True)
class HeldOut:
    """The held-out prompts of a sample.

    Args:
        table: rephrases, locality prompts, neutral prompts, facts as questions, facts in chat, and
            plain passages, in this order, each with its answer.
        rephrase_of: for each rephrase, which fact of the sample it belongs to.
        locality_of, question_of, chat_of: likewise.
        facts: how many facts the sample has.
        neutral: how many neutral prompts there are.
        neutral_from_facts: how many of them are prompts of other facts.
        base_next: (neutral prompts, vocabulary) log-probabilities of the base's next token.
        base_loss: for each passage, the base's loss per token.
    """

    table: TokenTable
    rephrase_of: tuple[int, ...]
    locality_of: tuple[int, ...]
    question_of: tuple[int, ...]
    chat_of: tuple[int, ...]
    facts: int
    neutral: int
    neutral_from_facts: int
    base_next: torch.Tensor
    base_loss: tuple[float, ...]

    @property
    def parts(self) -> tuple[range, ...]:
        """Where each kind of text stands in the table."""
        kinds = self.rephrase_of, self.locality_of, range(self.neutral)
        sizes = map(len, (*kinds, self.question_of, self.chat_of, self.base_loss))
        return tuple(range(start, end) for start, end in pairwise((0, *accumulate(sizes))))

    @property
    def neutral_rows(self) -> range:
        """Where the neutral prompts stand in the table."""
        return self.parts[2]


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """The fields of `LocationDone` of the same names."""

    general: tuple[float | None, ...]
    local: tuple[float | None, ...]
    neutral: tuple[bool, ...]
    kl: tuple[float, ...]
    question: tuple[bool | None, ...]
    chat: tuple[bool | None, ...]
    first: tuple[float | None, ...]
    neutral_first: tuple[bool, ...]
    text: tuple[float, ...]


def hold_out(
    model: LanguageModel,
    sample: Sample,
    kept: Sequence[str] = (),
    answer_tokens: int = ANSWER_TOKENS,
) -> HeldOut:
    """Gathers the held-out prompts of a sample, and asks the base what it says to them.

    Prompts that are too long for the model, or of which its tokenizer makes nothing, are left
    out.

    Args:
        model: the base.
        sample: what is trained on, with its rephrases and locality prompts, and other prompts.
        kept: prompts that runs are trained to answer as the base does; they never count.
        answer_tokens: most tokens of the base's own answers.
    """
    longest = model.longest or 1 << 20
    answer = min(answer_tokens, longest // 2)
    room = longest - answer
    rephrases: list[TokenizedText] = []
    rephrase_of: list[int] = []
    locality: list[str] = []
    locality_of: list[int] = []
    for number, fact in enumerate(sample.facts):
        prompts = _fitting(model, fact.rephrase_prompts, room)[:REPHRASES_EACH]
        rephrases += tokenize(model.tokenizer, prompts, [fact.target_new] * len(prompts))
        rephrase_of += [number] * len(prompts)
        asked = _fitting(model, [q.prompt for q in fact.locality_prompts], room)[:LOCALITY_EACH]
        locality += asked
        locality_of += [number] * len(asked)
    neutral, from_facts = _neutral(model, sample, kept, room)
    asked = locality + neutral
    answers = generate(model, asked, max_new_tokens=answer, stop="sentence", top_k=1)
    said = [
        TokenizedText(ids, answer.tokens)
        for ids, answer in zip(prompt_tokens(model.tokenizer, asked), answers, strict=True)
    ]
    questions, question_of = facts_in_form(model, sample.facts, "question")
    chats, chat_of = facts_in_form(model, sample.facts, "chat")
    passages = plain_passages(model, sample.facts)
    table = TokenTable(rephrases + said + questions + chats + passages, model.device)
    neutral_rows = range(len(rephrases) + len(locality), len(rephrases) + len(asked))
    states = follow(settling(model, table, None))
    read = judged(model, table, range(len(table) - len(passages), len(table)), states)
    return HeldOut(
        table=table,
        rephrase_of=tuple(rephrase_of),
        locality_of=tuple(locality_of),
        question_of=question_of,
        chat_of=chat_of,
        facts=len(sample.facts),
        neutral=len(neutral),
        neutral_from_facts=from_facts,
        base_next=_next_tokens(model, table, neutral_rows, states),
        base_loss=tuple(passage.loss for passage in read),
    )


def _neutral(
    model: LanguageModel, sample: Sample, kept: Sequence[str], room: int
) -> tuple[list[str], int]:
    """Neutral prompts, none of which is trained on in any way; see `choose_neutral`."""
    trained = [fact.prompt for fact in sample.facts]
    others = _fitting(model, sample.others[: 4 * len(trained) + 64], room)
    wordings = (text for fact in sample.facts for text in fact.wordings)
    keys = {prompt_key(prompt) for prompt in (*kept, *wordings)}
    taken = [prompt for prompt in (*others, *BUILT_IN) if prompt_key(prompt) in keys]
    neutral, from_facts = choose_neutral(others, [*trained, *taken])
    return _fitting(model, neutral, room), from_facts


def _fitting(model: LanguageModel, prompts: Sequence[str], room: int) -> list[str]:
    """The prompts that the model can read and still answer."""
    kept = []
    for prompt in prompts:
        try:
            (ids,) = prompt_tokens(model.tokenizer, [prompt])
        except ModelError:
            continue
        if len(ids) <= room:
            kept.append(prompt)
    return kept


def held_out_scores(
    model: LanguageModel,
    held_out: HeldOut,
    states: HiddenStates | None,
    facts: Sequence[int] | None = None,
) -> HeldOutScores:
    """Judges the model as it is now, with whatever weights are swapped in.

    Args:
        model: base and edit.
        held_out: the prompts.
        states: of the held-out table, below the edit; None starts at the embedding.
        facts: which facts of the sample the edit is about, in this order; None for all.
    """
    states = follow(settling(model, held_out.table, states))
    about = range(held_out.facts) if facts is None else facts
    asked = set(about)
    owners = held_out.rephrase_of, held_out.locality_of, held_out.question_of, held_out.chat_of
    rephrases, localities, neutral, questions, chats, passages = held_out.parts
    wanted = [*neutral, *passages]
    for rows, of in zip((rephrases, localities, questions, chats), owners, strict=True):
        wanted += [row for row, owner in zip(rows, of, strict=True) if owner in asked]
    found = dict(zip(wanted, judged(model, held_out.table, wanted, states), strict=True))
    now = _next_tokens(model, held_out.table, neutral, states)
    base = held_out.base_next
    kl = (base.exp() * (base - now)).sum(dim=-1).clamp_(min=0.0)

    def of_facts(rows: range, of: tuple[int, ...], good: Callable[[Judged], bool]) -> Shares:
        right = {fact: [0, 0] for fact in about}
        for row, owner in zip(rows, of, strict=True):
            if owner in right:
                right[owner][0] += good(found[row])
                right[owner][1] += 1
        return tuple(right[fact][0] / right[fact][1] if right[fact][1] else None for fact in about)

    local = partial(of_facts, localities, held_out.locality_of)
    chat = of_facts(chats, held_out.chat_of, _right) if held_out.chat_of else ()
    losses = zip(passages, held_out.base_loss, strict=True)
    return HeldOutScores(
        general=of_facts(rephrases, held_out.rephrase_of, _right),
        local=local(_right),
        neutral=tuple(found[row].right for row in neutral),
        kl=tuple(round(value, 9) for value in kl.tolist()),
        question=_verdicts(of_facts(questions, held_out.question_of, _right)),
        chat=_verdicts(chat),
        first=local(lambda judgement: judgement.first),
        neutral_first=tuple(found[row].first for row in neutral),
        text=tuple(round(found[row].loss - before, 9) for row, before in losses),
    )


def _right(judgement: Judged) -> bool:
    return judgement.right


def _verdicts(shares: Shares) -> tuple[bool | None, ...]:
    """Shares of one text each as verdicts."""
    return tuple(None if share is None else share == 1 for share in shares)


@torch.no_grad()
def _next_tokens(
    model: LanguageModel, table: TokenTable, rows: Sequence[int], states: HiddenStates | None
) -> torch.Tensor:
    """Log-probabilities of the token after each prompt: (rows, vocabulary), float32."""

    def look(some: Sequence[int]) -> torch.Tensor:
        batch = table.batch(some)
        logits = kept_logits(model, batch, some, states)
        targets = torch.bincount(batch.text_of_target, minlength=len(some))
        return logits[targets.cumsum(0) - targets].log_softmax(dim=-1)

    order = list(rows)
    size = max(1, TOKENS_PER_PASS // max(table.length(row) for row in order))
    found = [part for _, part in in_batches(order, size, model.device, look)]
    return torch.cat(found)
