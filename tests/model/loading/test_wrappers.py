"""Names with something in front: taken off where that makes them the network's, never else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.loading.wrappers import find_wrapping, unwrapped

NAMES = [
    "model.embed_tokens.weight",
    *(f"model.layers.{i}.{part}.weight" for i in range(3) for part in ("mlp.up_proj", "norm")),
    "lm_head.weight",
]
FRONTS = st.lists(st.sampled_from(["_orig_mod.", "module.", "_forward_module."]), unique=True)


@given(FRONTS)
def test_whatever_was_put_in_front_is_taken_off(fronts: list[str]) -> None:
    front = "".join(sorted(fronts, reverse=True))
    stored = [front + name for name in NAMES]
    renames = find_wrapping(stored, NAMES)
    assert [unwrapped(name, renames) for name in stored] == NAMES
    assert bool(renames) is bool(fronts)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda name: name.replace("model.", "model.language_model.", 1),
        lambda name: f"language_model.{name}",
        lambda name: f"base_model.model.{name}",
        lambda name: f"module._orig_mod.{name}",
        lambda name: name.replace(".mlp.", "._checkpoint_wrapped_module._orig_mod.mlp."),
        lambda name: f"_fsdp_wrapped_module.{name}".replace("layers.0.", "layers.0._orig_mod."),
        lambda name: f"module.{name}".replace("model.", "model.language_model.", 1),
    ],
    ids=["part", "front part", "adapter", "two", "inside", "front and inside", "front and part"],
)
def test_names_as_wrappers_leave_them_are_read(wrap: object) -> None:
    assert callable(wrap)
    stored = [wrap(name) for name in NAMES]
    renames = find_wrapping(stored, NAMES)
    assert [unwrapped(name, renames) for name in stored] == NAMES


def test_names_that_are_the_networks_are_left() -> None:
    assert find_wrapping(NAMES, NAMES) == {}
    assert find_wrapping([*NAMES, "module.more.weight"], NAMES) == {}
    own = ["model.language_model.layers.0.weight", "model.vision.weight"]
    assert find_wrapping(own, own) == {}
    assert find_wrapping([], NAMES) == {}
