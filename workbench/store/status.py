"""What the worker is doing, in one small file that the page reads.

Invariant: the file is replaced whole, so that a reader never sees half of it.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from workbench.store.settings import ModelChoice

__all__ = ["WorkerStatus"]

STATUS_NAME = "worker.json"


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """The state of the worker.

    Args:
        pid: its process.
        state: ``starting`` until its libraries are loaded, then ``idle`` or ``busy``.
        session: folder name of the session it works for; empty when idle.
        job: the job it works on; 0 when idle.
        model: the model in its memory; None when there is none.
        device: the best one of this machine; empty until its libraries are loaded.
        free: bytes that were free there, when they were looked at.
        held: bytes that the model in its memory takes, which another one gives back.
        held_on: the device that they are on.
        devices: over how many processes a run can be shared here.
    """

    pid: int
    state: Literal["starting", "idle", "busy"]
    session: str = ""
    job: int = 0
    model: ModelChoice | None = None
    device: str = ""
    free: int = 0
    held: int = 0
    held_on: str = ""
    devices: int = 1

    def write(self, root: Path) -> None:
        """Replaces the status under the sessions' folder; on a full disk the old one stays."""
        fresh = root / f"{STATUS_NAME}.{self.pid}"
        try:
            fresh.write_text(json.dumps(asdict(self)))
            fresh.replace(root / STATUS_NAME)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    @classmethod
    def read(cls, root: Path) -> "WorkerStatus | None":
        """The last status that was written; None when there is none."""
        try:
            data = json.loads((root / STATUS_NAME).read_text())
        except (OSError, ValueError):
            return None
        model = data.pop("model")
        return cls(**data, model=ModelChoice.from_dict(model) if model else None)
