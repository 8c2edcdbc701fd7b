"""What can be handed on: a run and all that was measured of it, as HTML, Markdown and JSON.

Pure functions from JSON-ready data to text. Knows nothing about models, sessions or the page.
"""

from workbench.report.contents import build_report
from workbench.report.html import as_html
from workbench.report.markdown import as_markdown
from workbench.report.write import FORMS, as_json, write_report

__all__ = ["FORMS", "as_html", "as_json", "as_markdown", "build_report", "write_report"]
