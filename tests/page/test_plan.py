"""The plan before Start: what it counts, and what it says while that is not known."""

from dataclasses import replace

from workbench.methods.base import LOCFT_BF
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.events import Started
from workbench.methods.locft_settings import EditSettings
from workbench.page.edit.plan import plan_card
from workbench.page.edit.processes import draw_processes, shared_command
from workbench.search.capacity import Capacity
from workbench.store.status import WorkerStatus

SETTINGS = EditSettings(at=("6.mlp.down_proj",), learning_rate=0.005, batch_size=2, epochs=40)
PLAN = Started(20, SETTINGS.at, 0.005, 2, 40, 400, 196_608, 4_200_000, kept_from=6)
ESTIMATE = RunEstimate("this run", PLAN, seconds=3.21, measured=3)


def test_the_plan_gives_steps_time_and_memory_that_were_measured() -> None:
    card = plan_card(20, LOCFT_BF, SETTINGS, ESTIMATE)
    for part in ("20 facts", "at most 40 epochs", "<b>400</b>", "<b>3.2 s</b>", "<b>4.2 MB</b>"):
        assert part in card
    assert "3 measured steps" in card and "kept from layer 6" in card
    assert "<b>1:40</b>" in plan_card(20, LOCFT_BF, SETTINGS, replace(ESTIMATE, seconds=100.2))
    assert "not kept" in plan_card(
        20, LOCFT_BF, SETTINGS, replace(ESTIMATE, plan=replace(PLAN, kept_from=0))
    )


def test_the_plan_says_what_facts_bring_and_the_run_leaves_out() -> None:
    told = ("The wording '<a>' is not trained on.",)
    card = plan_card(20, LOCFT_BF, SETTINGS, replace(ESTIMATE, left_out=told))
    assert "wording &#39;&lt;a&gt;&#39; is not trained on" in card


def test_the_plan_warns_of_more_facts_than_a_place_held_in_the_scale_study() -> None:
    capacity = Capacity("6.mlp.down_proj", held=40.0, failed=400.0)
    estimate = replace(ESTIMATE, plan=replace(PLAN, weights=100_000))
    card = plan_card(20, LOCFT_BF, SETTINGS, estimate, capacity)
    assert "200 facts per million tuned weights" in card and "at most 40. Tune more" in card
    roomy = plan_card(4, LOCFT_BF, SETTINGS, estimate, capacity)
    all_held = plan_card(20, LOCFT_BF, SETTINGS, estimate, replace(capacity, failed=None))
    assert "per million" not in roomy + all_held


def test_the_plan_says_what_is_missing() -> None:
    none = plan_card(0, LOCFT_BF, SETTINGS, ESTIMATE)
    assert "Tick at least one" in none and ">Go to Facts</button>" in none
    assert "being loaded" in plan_card(3, LOCFT_BF, None, None)
    assert "being measured" in plan_card(3, LOCFT_BF, SETTINGS, None)
    wrong = plan_card(3, LOCFT_BF, SETTINGS, RunEstimate("", error="'77' is not in <this> model"))
    assert "&lt;this&gt;" in wrong and 'role="alert"' in wrong


def test_a_run_is_shared_only_where_there_is_more_than_one_device() -> None:
    status = WorkerStatus(1, "idle", device="cuda", devices=4)
    assert draw_processes(None, 1) == draw_processes(replace(status, devices=1), 1) == ""
    assert "GPUs" in (card := draw_processes(status, 3)) and card.count("<option") == 4
    assert "Processes" in draw_processes(replace(status, device="cpu", devices=1), 2)
    assert "3 processes share the facts" in plan_card(20, LOCFT_BF, SETTINGS, ESTIMATE, processes=3)
    line = "workbench edit facts.csv --out patch"
    assert shared_command(line, 3) == f"torchrun --nproc-per-node 3 -m {line}"
    assert shared_command(line, 1) == line
