"""The methods beside LocFT-BF, with settings at which a tiny model takes few moments."""

from pathlib import Path
from typing import Any

import pytest

from workbench.methods.base import METHODS
from workbench.methods.locft_settings import EditSettings
from workbench.work.settings import SettingsRecord

__all__ = ["QUICK", "quick"]

TEXT = "The river runs through the town.\nWater boils when it is hot.\nShe opened the door.\n"

QUICK: dict[str, dict[str, Any]] = {
    "memit": {"facts_at_once": 3, "value_steps": 3, "sentences": 0, "layers": (1, 2)},
    "alphaedit": {"facts_at_once": 3, "value_steps": 3, "sentences": 0, "layers": (1, 2)},
    "ultraedit": {"facts_at_once": 3, "step": 1e-2},
    "crispedit": {"epochs": 3, "batch_size": 3, "learning_rate": 1e-2},
    "lora": {"epochs": 3, "batch_size": 3, "learning_rate": 1e-2},
    "ft": {"steps": 3, "learning_rate": 1e-2},
    "ft-l": {"steps": 3, "learning_rate": 1e-2, "bound": 5e-3},
    "ft-m": {"steps": 3, "learning_rate": 1e-2},
}
"""By the key of the method; of those that change weights."""


def quick(method: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsRecord:
    """A method's settings, with a text of its own where it needs one, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    kind = METHODS[method].settings
    own = dict(QUICK[method])
    if "text" in kind.help():
        (folder / "usual.txt").write_text(TEXT, encoding="utf-8")
        own["text"] = str(folder / "usual.txt")
    assert kind is not EditSettings
    return kind.from_dict(own)
