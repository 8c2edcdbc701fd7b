"""The text form of locations: what is read, what is refused, what overlaps."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench.errors import LocationError
from workbench.model.location import Location, parse_locations

_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
_MODULES = st.lists(_NAMES, max_size=3).map(".".join)
_LOCATIONS = st.builds(Location, st.integers(0, 200), _MODULES)


@given(_LOCATIONS)
def test_a_location_is_read_back_from_its_text(location: Location) -> None:
    assert Location.parse(str(location)) == location
    assert Location.parse(f" {location}\n") == location


@given(st.text(max_size=12))
def test_any_text_is_a_location_or_an_error_for_people(text: str) -> None:
    try:
        location = Location.parse(text)
    except LocationError as error:
        assert "is not a location" in str(error)
    else:
        assert Location.parse(str(location)) == location


@pytest.mark.parametrize(
    ("text", "layer", "module"),
    [("22.mlp.down_proj", 22, "mlp.down_proj"), ("22.mlp", 22, "mlp"), ("22", 22, ""),
     ("0.self_attn.q_proj", 0, "self_attn.q_proj"), ("3.block.0.w1", 3, "block.0.w1")],
)  # fmt: skip
def test_the_three_forms_are_a_matrix_a_block_and_a_layer(
    text: str, layer: int, module: str
) -> None:
    assert Location.parse(text) == Location(layer, module)


@pytest.mark.parametrize(
    "text",
    ["", "mlp", "mlp.6", "-1.mlp", "6.", "6..mlp", ".mlp", "6 mlp", "6.mlp.", "1e3", "6.m-p"],
)
def test_other_forms_are_refused_with_the_right_form_in_the_message(text: str) -> None:
    with pytest.raises(LocationError, match=r"6\.mlp\.down_proj"):
        Location.parse(text)


@given(_LOCATIONS, _LOCATIONS)
def test_overlap_is_mutual_and_never_across_layers(first: Location, second: Location) -> None:
    assert first.overlaps(second) == second.overlaps(first)
    assert first.overlaps(first)
    if first.layer != second.layer:
        assert not first.overlaps(second)


@given(_LOCATIONS, _NAMES)
def test_a_location_overlaps_with_what_lies_in_it(location: Location, name: str) -> None:
    assert Location(location.layer).overlaps(location)
    inner = Location(location.layer, f"{location.module}.{name}".strip("."))
    assert location.overlaps(inner)


def test_names_that_begin_alike_do_not_overlap() -> None:
    assert not Location.parse("6.mlp").overlaps(Location.parse("6.mlp2.up"))
    assert not Location.parse("2").overlaps(Location.parse("22"))


@given(st.lists(_LOCATIONS, max_size=4))
def test_a_list_without_overlaps_comes_back_sorted(locations: list[Location]) -> None:
    pairs = [(a, b) for i, a in enumerate(locations) for b in locations[i + 1 :]]
    assume(not any(a.overlaps(b) for a, b in pairs))
    assert parse_locations([str(location) for location in locations]) == tuple(sorted(locations))


@pytest.mark.parametrize(
    "texts", [["6", "6.mlp"], ["6.mlp", "6.mlp.down_proj"], ["6.mlp", "6.mlp"],
              ["6.mlp", "6.attn", "6"], ["6.b.c", "6.a", "6.b"]],
)  # fmt: skip
def test_the_same_weights_may_not_be_named_twice(texts: list[str]) -> None:
    with pytest.raises(LocationError, match="overlap"):
        parse_locations(texts)


def test_locations_that_sort_apart_are_still_found_to_overlap() -> None:
    with pytest.raises(LocationError, match="overlap"):
        parse_locations(["6", "6.a", "7", "6.mlp"])
