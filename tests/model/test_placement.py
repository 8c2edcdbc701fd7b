"""Where layers live: as many as fit stay, the last ones first, and the promise is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import MemoryShortage, SettingsError
from workbench.model.choice import ModelChoice
from workbench.model.placement import LayerSizes, place_layers, weights_budget
from workbench.work.sizes import parse_memory, write_memory

SIZES = st.builds(
    LayerSizes,
    st.lists(st.integers(1, 500), min_size=1, max_size=12).map(tuple),
    st.integers(0, 1000),
)


@given(SIZES, st.integers(1, 8000))
def test_what_stays_and_two_layers_never_take_more_than_is_allowed(
    sizes: LayerSizes, budget: int
) -> None:
    try:
        found = place_layers("a model", sizes, "cpu", budget)
    except MemoryShortage:
        assert sizes.rest + max(sizes.layers) > budget
        return
    streamed = found.streamed
    stays = sizes.rest + sum(s for n, s in enumerate(sizes.layers) if n not in streamed)
    largest = max((sizes.layers[n] for n in streamed), default=0)
    assert stays + (2 if found.ahead else 1) * largest <= budget
    assert streamed == tuple(range(found.resident_from))
    assert bool(streamed) == (sizes.total > budget)


def test_layers_that_leave_the_device_go_to_main_memory_before_they_go_to_disk() -> None:
    sizes = LayerSizes((10,) * 6, 10)
    found = place_layers("a model", sizes, "cuda:0", 45, main_memory=25)
    assert found.layers == ("disk", "disk", "disk", "memory", "memory", "device")
    assert found.told() == (
        "1 of 6 layers stay in the memory of cuda:0 within 45 bytes; layers 0-4 are read from main "
        "memory and disk as they are needed"
    )


def test_too_little_for_one_layer_is_refused_with_what_is_needed() -> None:
    sizes = LayerSizes((2_000_000,) * 3, 5_000_000)
    with pytest.raises(MemoryShortage, match=r"needs 7\.0 MB on cpu at least: 5\.0 MB for its emb"):
        place_layers("a model", sizes, "cpu", 6_000_000)


def test_on_a_gpu_a_part_of_the_promise_is_left_for_what_is_worked_on() -> None:
    assert weights_budget(1000, 5000, 9000, on_cpu=True) == 1000
    assert weights_budget(1000, 5000, 9000, on_cpu=False) == 700
    assert weights_budget(None, 5000, 9000, on_cpu=True) == 9000
    assert weights_budget(9000, 5000, 1000, on_cpu=True) == 700


def test_a_plan_says_what_a_step_reads_and_from_where_on_it_reads_nothing() -> None:
    found = place_layers("a model", LayerSizes((10,) * 6, 10), "cpu", 50)
    assert found.streamed == (0, 1, 2, 3)
    assert "a step reads layers 2,3 twice, 20 bytes each time" in found.told_of_steps(2)
    assert "From layer 4 on it would read none." in found.told_of_steps(2)
    assert "a step reads none" in found.told_of_steps(4)


@given(st.integers(1, 10**18))
def test_a_size_reads_back_as_it_was_written(size: int) -> None:
    assert parse_memory(write_memory(size)) == size


@given(st.text())
def test_any_text_is_a_size_or_is_refused_in_one_sentence(text: str) -> None:
    try:
        assert parse_memory(text) >= 1
    except SettingsError as error:
        assert str(error).endswith("write a size, such as 80GB, 512MB or 0.5GiB.")


def test_sizes_are_read_as_people_write_them() -> None:
    read = ["12GB", "250 MB", "0.5GiB", "512mib", "1000"]
    found = [12 * 10**9, 250 * 10**6, 2**29, 2**29, 1000]
    assert list(map(parse_memory, read)) == found
    assert ModelChoice(memory=2**29).words() == ["--memory", "512MiB"]
    for wrong in ("", "GB", "-1GB", "12 apples", "1e9", "٣GB", "0", "1,5GB"):
        with pytest.raises(SettingsError, match="write a size"):
            parse_memory(wrong)
    with pytest.raises(SettingsError, match=r"^memory is True"):
        ModelChoice.from_dict({"memory": True})
