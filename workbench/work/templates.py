"""HTML from templates, with every value escaped whatever its type claims.

Templates lie in ``templates`` folders: those named ``page/…`` in the page's, ``report/…`` in the
report's. What `render` returns is marked as HTML, so that one template can stand in another; any
other value is text. Knows nothing about what is shown.
"""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from workbench.work import words

__all__ = ["render"]

FILTERS = ("clock", "count", "quantity", "share", "size", "small")


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
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({name: getattr(words, name) for name in FILTERS})
    return found


def render(template: str, **values: Any) -> Markup:
    """A template with these values.

    Args:
        template: such as ``page/runs/table.html``.
        values: what it shows; text from people and models needs no care.
    """
    return Markup(_environment().get_template(template).render(values).strip())
