"""HTML from templates, with every value escaped whatever its type claims.

Templates lie in ``templates`` folders: those named ``page/…`` in the page's, ``report/…`` in the
report's. What `render` returns is marked as HTML, so that one template can stand in another; any
other value is text. A line break between two tags of a template's source means nothing, so that
what a browser gets has no blanks that nobody wrote. Knows nothing about what is shown.
"""

import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from workbench.work import words
from workbench.work.glossary import meaning

__all__ = ["macro", "render", "trusted"]

FILTERS = ("clock", "count", "duration", "model_name", "quantity", "share", "size", "small")


class _Tight(Extension):
    """Takes line breaks between tags out of a template's source; values are never touched."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"(?<=[>}])\s*\n\s*(?=[<{])", "", source)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    found = Environment(
        loader=PrefixLoader(
            {
                "page": PackageLoader("workbench.page", "templates"),
                "report": PackageLoader("workbench.measure.report", "templates"),
            }
        ),
        autoescape=True,
        extensions=[_Tight],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({name: getattr(words, name) for name in FILTERS})
    found.filters["meaning"] = meaning
    return found


def render(template: str, **values: Any) -> Markup:
    """A template with these values.

    Args:
        template: such as ``page/runs/table.html``.
        values: what it shows; text from people and models needs no care.
    """
    return Markup(_environment().get_template(template).render(values).strip())


def macro(template: str, name: str, *values: Any) -> Markup:
    """One macro of a template, with no blank taken away from what it shows.

    Args:
        template: such as ``page/marks.html``.
        name: the macro's.
        values: its arguments.
    """
    module = _environment().get_template(template).module
    return Markup(getattr(module, name)(*values))


def trusted(ours: str) -> Markup:
    """What ships with the package, such as a stylesheet or a script, as it stands in a page.

    Args:
        ours: never anything from people, models or files of theirs.
    """
    return Markup(ours)
