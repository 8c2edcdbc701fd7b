"""What is kept: sessions with their facts, runs and patches, and the queue of work on them.

Everything that a person does is in the session's database the moment it is done. Knows nothing
about the page; only the worker's process (`worker` and what it imports) knows the engine.
"""

from workbench.session.library import Library
from workbench.session.store import Store

__all__ = ["Library", "Store"]
