"""Only what differs from what a tab shows is drawn."""

from typing import Any

import gradio as gr

from workbench.page.kit.drawing import View, draw_changed

SKIPPED = gr.skip()


def test_an_output_is_left_alone_while_it_would_get_the_same() -> None:
    settings = {"epochs": "", "rate": "0.1"}
    drawn: list[str] = []

    def draw(session: str) -> tuple[Any, str]:
        drawn.append(session)
        return gr.Textbox(settings["epochs"]), settings["rate"]

    fields = [View(draw, [], [gr.Textbox(), gr.Textbox()])]
    told, *results = draw_changed(fields, ["v1"], "s", {}, "")
    assert results[1] == "0.1" and SKIPPED not in results
    told, *results = draw_changed(fields, ["v1"], "s", {}, told)
    assert results == [SKIPPED, SKIPPED] and len(drawn) == 1
    # Something else in the same tables has changed: a field in which somebody types stays.
    settings["rate"] = "0.2"
    told, *results = draw_changed(fields, ["v2"], "s", {}, told)
    assert results == [SKIPPED, "0.2"] and len(drawn) == 2
    # What was typed in one session is not left in another.
    told, *results = draw_changed(fields, ["v2"], "other", {}, told)
    assert SKIPPED not in results and drawn[-1] == "other"


def test_a_field_whose_placeholder_alone_has_changed_keeps_what_is_typed() -> None:
    told = {"value": "", "placeholder": "200"}
    fields = [View(lambda session: gr.update(**told), [], [gr.Textbox()])]
    seen, result = draw_changed(fields, ["v1"], "s", {}, "")
    assert result == gr.update(value="", placeholder="200")
    told["placeholder"] = "25"
    seen, result = draw_changed(fields, ["v2"], "s", {}, seen)
    assert result == gr.update(placeholder="25")
    told["value"] = "7"
    seen, result = draw_changed(fields, ["v3"], "s", {}, seen)
    assert result == gr.update(value="7")
    # A choice whose choices have changed is drawn whole, for it may not be among them.
    chosen: dict[str, Any] = {"value": "", "choices": ["a"]}
    choice = [View(lambda session: gr.update(**chosen), [], [gr.Dropdown()])]
    seen, _ = draw_changed(choice, ["v1"], "s", {}, "")
    chosen["choices"] = ["a", "b"]
    assert draw_changed(choice, ["v2"], "s", {}, seen)[1] == gr.update(**chosen)


def test_a_view_follows_its_inputs() -> None:
    search = gr.Textbox()
    found = View(lambda session, text: f"{text} in {session}", [search], [gr.HTML()])
    told, result = draw_changed([found], ["v"], "s", {id(search): "a"}, "")
    assert result == "a in s"
    told, result = draw_changed([found], ["v"], "s", {id(search): "a"}, told)
    assert result == SKIPPED
    told, result = draw_changed([found], ["v"], "s", {id(search): "b"}, told)
    assert result == "b in s"


def test_what_could_not_be_drawn_is_drawn_when_it_can_be() -> None:
    possible = False
    view = View(lambda session: "there" if possible else gr.skip(), [], [gr.HTML()])
    told, result = draw_changed([view], ["v1"], "s", {}, "")
    assert result == SKIPPED
    possible = True
    told, result = draw_changed([view], ["v2"], "s", {}, told)
    assert result == "there"
