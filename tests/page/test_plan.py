"""The plan before Start: what it counts, and what it says while that is not known."""

from typing import Any

from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.plan import plan_card

SETTINGS = EditSettings(at=("6.mlp.down_proj",), learning_rate=0.005, batch_size=2, epochs=40)
ESTIMATE: dict[str, Any] = {
    "facts": 20,
    "steps": 400,
    "seconds": 3.21,
    "memory_bytes": 4_200_000,
    "weights": 196_608,
    "kept_from": 6,
    "measured": 3,
}


def test_the_plan_gives_steps_time_and_memory_that_were_measured() -> None:
    card = plan_card(20, SETTINGS, ESTIMATE)
    for part in ("20 facts", "at most 40 epochs", "<b>400</b>", "<b>3.2 s</b>", "<b>4.2 MB</b>"):
        assert part in card
    assert "3 measured steps" in card and "kept from layer 6" in card
    assert "<b>1:40</b>" in plan_card(20, SETTINGS, {**ESTIMATE, "seconds": 100.2})
    assert "not kept" in plan_card(20, SETTINGS, {**ESTIMATE, "kept_from": 0})


def test_the_plan_says_what_is_missing() -> None:
    assert "Tick at least one" in plan_card(0, SETTINGS, ESTIMATE)
    assert "being loaded" in plan_card(3, None, None)
    assert "being measured" in plan_card(3, SETTINGS, None)
    wrong = plan_card(3, SETTINGS, {"error": "'77' is not in <this> model"})
    assert "&lt;this&gt;" in wrong and 'role="alert"' in wrong
