"""A prompt with words left out and exchanged keeps what it is about."""

import random

from hypothesis import given
from hypothesis import strategies as st

from workbench.facts.scramble import scrambled

WORDS = st.lists(
    st.sampled_from(["what", "is", "the", "capital", "of", "it?"]), min_size=1, max_size=8
)


@given(WORDS, st.integers(0, 8), st.integers(0, 3), st.sampled_from(["Chad", "New York", "O'Neil"]))
def test_the_subject_stays_whole_and_no_word_is_new(
    words: list[str], place: int, seed: int, subject: str
) -> None:
    prompt = " ".join([*words[:place], subject, *words[place:]])
    found = scrambled(prompt, subject, 4, random.Random(seed))
    assert len(set(found)) == len(found) <= 4 and prompt not in found
    for text in found:
        assert subject in text
        left = prompt.split()
        for word in text.split():
            left.remove(word)
    assert found == scrambled(prompt, subject, 4, random.Random(seed))


def test_without_a_subject_names_and_numbers_stay() -> None:
    found = scrambled("In which year did Apollo 11 land?", "", 6, random.Random(0))
    assert len(found) == 6
    assert all("Apollo" in text and "11" in text for text in found)


def test_what_is_written_onto_a_subject_stays_with_it() -> None:
    found = scrambled("Chad's capital, by the way, is", "Chad", 6, random.Random(1))
    assert found and all("Chad's" in text for text in found)
