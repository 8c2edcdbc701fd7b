"""Wordings and keep prompts are trained on, unless they are measured or taught; then it is said."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.facts import Fact, Question, parse_facts
from workbench.facts.neighbours import neighbours, said_keys
from workbench.facts.overlaps import kept_questions, overlaps, told_overlaps, trained_wordings
from workbench.facts.same import prompt_key

# A prompt in other letters is the same to a reader.
_PROMPTS = st.sampled_from(["A is", "a is.", "B is", "Ｂ is", "C is", "D is", "E  is", "e is?"])
_TEXTS = st.lists(_PROMPTS, max_size=2).map(tuple)
_ASKED = st.lists(st.builds(Question, _PROMPTS, st.sampled_from(["", "1", "2"])), max_size=2)
_FACTS = st.lists(
    st.builds(
        Fact,
        prompt=_PROMPTS,
        target_new=st.sampled_from(["x", "y"]),
        subject=st.sampled_from(["A", "B", ""]),
        rephrase_prompts=_TEXTS,
        locality_prompts=_ASKED.map(tuple),
        portability_prompts=_ASKED.map(tuple),
        wordings=_TEXTS,
        keep_prompts=_ASKED.map(tuple),
    ),
    max_size=4,
)


@given(_FACTS)
def test_whatever_is_brought_is_trained_on_or_told_and_never_measured(facts: list[Fact]) -> None:
    measured = said_keys(facts, brought=False)
    wordings, kept = trained_wordings(facts), kept_questions(facts)
    trained = {prompt_key(text) for texts in wordings for text in texts}
    held = {prompt_key(question.prompt) for question in kept}
    assert not (trained | held) & measured and not trained & held and len(held) == len(kept)
    assert not said_keys(facts) & {prompt_key(text) for text in neighbours(facts, 3, 0)}
    told = {
        (found.fact, found.part) for found in overlaps(facts) if not found.kind.endswith("shared")
    }
    for place, (fact, own) in enumerate(zip(facts, wordings, strict=True)):
        assert ((place, "wordings") in told) == (len(own) < len(fact.wordings))
        left_out = any(prompt_key(q.prompt) not in held for q in fact.keep_prompts)
        assert ((place, "keep_prompts") in told) == left_out


TABLE = """prompt,answer,rephrase,locality,locality answer,wording,keep prompt,keep answer
A is,x,A was,L is,1,"a was | Say A | A is",K is | l is,1 | 2
B is,y,,,,say a. | L is,K is | A is,9 | 3
"""


def test_a_file_is_told_what_is_left_out_with_the_rows() -> None:
    found = parse_facts(TABLE)
    assert (found[0].wordings, found[0].keep_prompts[1]) == (
        ("a was", "Say A", "A is"),
        Question("l is", "2"),
    )
    told = [(p.row, p.field, p.kind, p.what.split(" for ")[-1]) for p in found.problems]
    assert told == [
        (2, "wording", "wording is measured", "it is a rephrase of this fact itself."),
        (2, "wording", "wording is prompt", "it is the prompt of this fact itself."),
        (2, "keep prompt", "keep is measured", "it is a locality prompt of this fact itself."),
        (3, "wording", "wording shared", "The wording 'say a.' has another answer in row 2."),
        (3, "wording", "wording is measured", "it is a locality prompt of row 2."),
        (3, "keep prompt", "keep shared", "The keep prompt 'K is' has another answer in row 2."),
        (3, "keep prompt", "keep is taught", "it is the prompt of row 2."),
    ]
    assert all(problem.severity == "warning" and problem.why for problem in found.problems)
    assert found.summary()["counts"] == {
        "rephrases": 1, "locality": 1, "portability": 0, "wordings": 5, "keep": 4,
    }  # fmt: skip
    assert trained_wordings(found.facts) == [("Say A",), ("say a.",)]
    assert kept_questions(found.facts) == [Question("K is", "1")]


def test_of_several_keep_prompts_one_with_an_answer_counts() -> None:
    facts = [
        Fact(f"{name} is", "x", keep_prompts=(Question("K is", answer),))
        for name, answer in (("A", ""), ("B", "1"), ("C", "2"))
    ]
    assert kept_questions(facts) == [Question("K is", "1")]
    assert [one.kind for one in overlaps(facts)] == ["keep shared"]


@given(_FACTS)
def test_a_fact_among_others_is_told_what_a_file_of_them_would_be(facts: list[Fact]) -> None:
    told = list(told_overlaps(facts[0], facts[1:])) if facts else []
    found = [one for one in overlaps(facts) if 0 in (one.fact, one.owner)]
    assert len(told) == len(found)
    for one, text in zip(found, told, strict=True):
        assert text.startswith(one.what) and text.endswith(one.mend)
