"""Which edition of the workbench serves the page, so that a page of another one loads itself anew.

A page that was left open for long may find a server that was updated meanwhile, which knows other
events than the page sends.
"""

import hashlib
from pathlib import Path

import workbench
from workbench._version import __version__

__all__ = ["edition"]

PARTS = (".css", ".html", ".js", ".py")


def edition(package: Path | None = None) -> str:
    """A short digest of the version, and of the size and time of every file that makes the page.

    Args:
        package: the folder of the package; None for this one.
    """
    folder = package or Path(workbench.__file__).parent
    digest = hashlib.sha1(__version__.encode(), usedforsecurity=False)
    for path in sorted(folder.rglob("*")):
        if path.suffix in PARTS:
            found = path.stat()
            digest.update(
                f"{path.relative_to(folder)} {found.st_size} {found.st_mtime_ns}".encode()
            )
    return digest.hexdigest()[:12]
