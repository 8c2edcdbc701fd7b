"""A value that is not what it should be, said so that a person can mend it.

Does not know where the value stands.
"""

__all__ = ["Wrong"]


class Wrong(Exception):
    """A value is not what it should be.

    Args:
        what: what is wrong, as a sentence.
        mend: what to do, as a sentence.
        kind: see `Problem`.
        part: the part of the fact that is concerned, where the reader does not know it anyway.
    """

    def __init__(self, what: str, mend: str, kind: str, part: str = "") -> None:
        super().__init__(what)
        self.what, self.mend, self.kind, self.part = what, mend, kind, part
