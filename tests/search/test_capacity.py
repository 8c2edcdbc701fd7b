"""What a scale study says of how many facts a place holds."""

from workbench.search.capacity import capacity_of, capacity_sentence, crowded_sentence


def rows(*shares: tuple[float, float]) -> list[dict[str, object]]:
    return [{"at": "4.mlp", "density": d, "reliability_strict": r} for d, r in shares]


def test_a_place_held_what_it_held_before_the_first_time_that_it_did_not() -> None:
    found = capacity_of(rows((10, 1.0), (1000, 0.97), (100, 0.95), (10_000, 0.4)))
    assert found is not None and (found.held, found.failed) == (1000, 10_000)
    assert "up to 1,000 facts" in capacity_sentence(found)
    assert capacity_of(rows((10, 1.0), (100, 0.5), (1000, 0.99))).held == 10  # type: ignore[union-attr]


def test_what_was_not_tried_is_not_claimed() -> None:
    all_held = capacity_of(rows((10, 1.0), (100, 0.99)))
    assert all_held is not None and "the most that were tried" in capacity_sentence(all_held)
    assert crowded_sentence(all_held, 10_000, 1_000_000) == ""
    none_held = capacity_of(rows((10, 0.2)))
    assert none_held is not None and "did not hold" in capacity_sentence(none_held)
    assert "held 95% of none of its numbers of facts" in crowded_sentence(none_held, 5, 1_000_000)
    assert capacity_of([{"at": "4.mlp", "reliability_strict": 1.0}]) is None


def test_more_matrices_are_more_room() -> None:
    found = capacity_of(rows((10, 1.0), (100, 0.5)))
    assert found is not None
    assert "20 facts per million" in crowded_sentence(found, 20, 1_000_000)
    assert crowded_sentence(found, 20, 2_000_000) == ""
