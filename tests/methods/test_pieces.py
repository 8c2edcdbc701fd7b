"""How a step's texts are cut: nothing is lost, and nothing cheaper is passed over."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from workbench.methods.pieces import cheapest_pieces

LENGTHS = st.lists(st.integers(1, 40), max_size=9)


def cost(lengths: list[int], pieces: list[list[int]], alone: int) -> int:
    """Tokens of all pieces, with what fills shorter texts up, and the passes themselves."""
    return sum(alone + len(piece) * max(lengths[place] for place in piece) for piece in pieces)


@given(LENGTHS, st.integers(1, 4), st.integers(1, 50))
def test_every_text_stands_in_one_piece_that_is_not_too_large(
    lengths: list[int], most: int, alone: int
) -> None:
    pieces = cheapest_pieces(lengths, most, alone)
    assert sorted(place for piece in pieces for place in piece) == list(range(len(lengths)))
    assert all(0 < len(piece) <= most for piece in pieces)


@given(LENGTHS, st.integers(1, 50))
def test_no_other_cut_of_the_texts_by_length_costs_less(lengths: list[int], alone: int) -> None:
    found = cost(lengths, cheapest_pieces(lengths, len(lengths) or 1, alone), alone)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for cuts in product((False, True), repeat=max(0, len(order) - 1)):
        pieces = [order[:1]] if order else []
        for place, cut in zip(order[1:], cuts, strict=True):
            if cut:
                pieces.append([place])
            else:
                pieces[-1].append(place)
        assert found <= cost(lengths, pieces, alone)
