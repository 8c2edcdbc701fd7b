"""What the sidebar tells of the model."""

from dataclasses import replace

from tests.summary import SUMMARY
from workbench.work.templates import render


def test_what_was_done_to_a_model_when_it_was_read_stands_beside_it() -> None:
    summary = replace(SUMMARY, notices=("Its weights are quantized (FP8).", "module. <was> off."))
    html = render("page/sidebar/model.html", title="x", summary=summary, rows=(), folder="")
    assert "Its weights are quantized (FP8).</p>" in html
    assert "module. &lt;was&gt; off.</p>" in html
