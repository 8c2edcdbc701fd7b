"""What is kept: sessions with their facts, runs and patches, and the queue of work on them.

Everything that a person does is in the session's database the moment it is done. Knows nothing
about models, processes or the page.
"""

from workbench.store.library import Library
from workbench.store.store import Store

__all__ = ["Library", "Store"]
