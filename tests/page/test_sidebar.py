"""What the sidebar tells of the model and of the session."""

from dataclasses import replace

from tests.summary import SUMMARY
from workbench.page.sidebar.session_card import clear_kept_states, draw_states
from workbench.store import Store
from workbench.store.kept_states import states_folder
from workbench.work.templates import render


def test_what_was_done_to_a_model_when_it_was_read_stands_beside_it() -> None:
    summary = replace(SUMMARY, notices=("Its weights are quantized (FP8).", "module. <was> off."))
    html = render("page/sidebar/model.html", title="x", summary=summary, rows=(), folder="")
    assert "Its weights are quantized (FP8).</p>" in html
    assert "module. &lt;was&gt; off.</p>" in html


def test_kept_hidden_states_are_told_and_a_button_clears_them(store: Store) -> None:
    assert "Clear" not in draw_states(store)
    place = states_folder(store.folder) / "model" / "7"
    place.mkdir(parents=True)
    (place / "states").write_bytes(b"0" * 2_500_000)
    html = draw_states(store)
    assert "2.5 MB of at most 10.0 GB" in html and 'data-do="clear-states"' in html
    assert "Clear" not in clear_kept_states(store)
    assert not states_folder(store.folder).exists()
