"""The glossary: one place for every term, which the page and the measures draw from."""

from workbench.measure.protocols import MEASURE_HELP
from workbench.work.glossary import GLOSSARY, meaning
from workbench.work.templates import macro


def test_a_term_is_explained_where_it_stands_in_any_case() -> None:
    drawn = str(macro("page/kit.html", "term", "Learning rate"))
    assert GLOSSARY["learning rate"] in drawn and 'tabindex="0"' in drawn
    assert str(macro("page/kit.html", "term", "something else")) == "something else"
    assert meaning("STRICT") == GLOSSARY["strict"]


def test_measures_say_what_the_glossary_says() -> None:
    shared = GLOSSARY.keys() & MEASURE_HELP.keys()
    assert shared >= {"reliability", "generalization", "locality", "portability"}
    assert all(MEASURE_HELP[name] == GLOSSARY[name] for name in shared)


def test_every_sentence_is_one_and_ends() -> None:
    for term, sentence in GLOSSARY.items():
        assert sentence[0].isupper() and sentence.endswith("."), term
        assert sentence.count(". ") == 0, term
