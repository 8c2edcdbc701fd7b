"""Sizes of memory as people write them, such as ``12GB``. Pure functions; knows no settings."""

import re
from fractions import Fraction

from workbench.errors import SettingsError

__all__ = ["parse_memory", "write_memory"]

UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
SIZE = re.compile(r"(\d{1,40}(?:\.\d{1,40})?)\s*([kmgt]i?b|b)?", re.IGNORECASE | re.ASCII)


def parse_memory(text: str) -> int:
    """Bytes as people write them: ``80GB`` and ``250 MB`` in powers of 1000, ``0.5GiB`` of 1024.

    Raises:
        SettingsError: the text has another form.
    """
    match = SIZE.fullmatch(text.strip())
    number, unit = match.groups() if match else ("0", "")
    found = round(Fraction(number) * UNITS[(unit or "").upper()])
    if found < 1:
        raise SettingsError(f"memory is '{text}'; write a size, such as 80GB, 512MB or 0.5GiB.")
    return found


def write_memory(value: int) -> str:
    """The inverse of `parse_memory`, in the largest unit that gives a whole number."""
    unit = max((name for name in UNITS if value % UNITS[name] == 0), key=UNITS.__getitem__)
    return f"{value // UNITS[unit]}{unit.replace('I', 'i')}"
