"""What can be handed on: a run and all that was measured of it, as HTML, Markdown and JSON.

Pure functions from JSON-ready data to text. Knows nothing about models, sessions or the page.
"""

from workbench.measure.report.contents import build_report
from workbench.measure.report.html import as_html
from workbench.measure.report.markdown import as_markdown
from workbench.measure.report.write import FORMS, as_json, write_report

__all__ = ["FORMS", "as_html", "as_json", "as_markdown", "build_report", "write_report"]
