"""The glossary: one place for every term, which the page and the measures draw from."""

import pytest

from workbench.facts.forms import FORMS
from workbench.measure.protocols import EVERY_MEASURE, MEASURE_HELP, PROTOCOLS, words_of
from workbench.methods.base import METHODS
from workbench.methods.recipes import RECIPES
from workbench.page.help import every_word
from workbench.work.glossary import GLOSSARY, meaning
from workbench.work.templates import macro

NAMED: dict[str, tuple[str, ...]] = {
    "form": FORMS,
    "recipe": tuple(RECIPES),
    "protocol": PROTOCOLS,
    "method": tuple(method.name for method in METHODS.values()),
}


def test_a_term_is_explained_where_it_stands_in_any_case() -> None:
    drawn = str(macro("page/kit.html", "term", "Learning rate"))
    assert GLOSSARY["learning rate"] in drawn and 'tabindex="0"' in drawn
    assert str(macro("page/kit.html", "term", "something else")) == "something else"
    assert meaning("STRICT") == GLOSSARY["strict"]


@pytest.mark.parametrize("kind", NAMED)
def test_every_name_on_the_page_has_its_sentence(kind: str) -> None:
    words = every_word()
    assert [name for name in NAMED[kind] if not words.get(name)] == []


def test_every_measure_in_every_form_is_explained() -> None:
    assert [m for m in EVERY_MEASURE if not meaning(words_of(m))] == []
    assert meaning("portability, in chat") == f"{GLOSSARY['portability']} {GLOSSARY['in chat']}"
    assert meaning("portability, in Latin") == meaning("in Latin, in chat") == ""


def test_measures_say_what_the_glossary_says() -> None:
    shared = GLOSSARY.keys() & MEASURE_HELP.keys()
    assert shared >= {"reliability", "generalization", "locality", "portability"}
    assert all(MEASURE_HELP[name] == GLOSSARY[name] for name in shared)


def test_every_sentence_is_one_and_ends() -> None:
    for term, sentence in every_word().items():
        assert sentence[0].isupper() and sentence.endswith((".", ".”")), term
        assert sentence.count(". ") == 0, term
