"""Names of weights with something in front, as wrappers around a model leave them.

What `torch.compile`, data parallel training or a model of several parts put before a name is
taken off when more of the names are then those of the network. Knows names alone, no weights.
"""

import re
from collections.abc import Collection

__all__ = ["find_wrapping", "unwrapped"]

Renames = dict[str, str]

# What no network calls a part of itself: it may be taken off wherever it stands.
ADDED: Renames = {
    r"_orig_mod\.": "",
    r"_fsdp_wrapped_module\.": "",
    r"_checkpoint_wrapped_module\.": "",
    r"_forward_module\.": "",
    r"^module\.": "",
    r"^base_model\.model\.": "",
}
# Where a network of several parts keeps the one that is about text.
PARTS: tuple[Renames, ...] = (
    {},
    {r"^model\.language_model\.": "model."},
    {r"^language_model\.": ""},
    {r"^model\.text_model\.": "model."},
    {r"^text_model\.": "model."},
    {r"^model\.model\.": "model."},
    {r"^model\.": ""},
)


def find_wrapping(stored: Collection[str], expected: Collection[str]) -> Renames:
    """What must be taken off the names in a file so that they are those of a network.

    Args:
        stored: the names in the file.
        expected: the names of the network's weights.

    Returns:
        Patterns with what stands in their place, in the order in which they are used; only those
        that are found in a name. Empty when the names serve better as they are.
    """
    wanted = set(expected)
    best: Renames = {}
    most = len(wanted.intersection(stored))
    for added in ({}, ADDED):
        for part in PARTS:
            renames = {**added, **part}
            fitting = len({unwrapped(name, renames) for name in stored} & wanted)
            if fitting > most:
                best, most = renames, fitting
    used: Renames = {}
    names = list(stored)
    for pattern, put in best.items():
        renamed = [re.sub(pattern, put, name) for name in names]
        if renamed != names:
            used[pattern] = put
        names = renamed
    return used


def unwrapped(name: str, renames: Renames) -> str:
    """A name without what stands before it."""
    for pattern, put in renames.items():
        name = re.sub(pattern, put, name)
    return name
