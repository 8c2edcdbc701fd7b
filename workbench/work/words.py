"""Numbers, times and names in the words of the page. Pure functions; knows nothing of HTML."""

import math
import re

__all__ = [
    "about",
    "clock",
    "count",
    "duration",
    "layer_line",
    "model_name",
    "one_line",
    "quantity",
    "share",
    "size",
    "small",
]


def count(number: int, noun: str) -> str:
    """``1 fact``, ``20 facts``, ``2,300 facts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def quantity(number: float) -> str:
    """A large count in short, such as ``4.4M`` or ``110k``."""
    for limit, divisor, unit in ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e3, 1e3, "k")):
        if number >= limit:
            return f"{number / divisor:.3g}{unit}"
    return f"{number:.0f}"


def size(number: float) -> str:
    """Bytes for people, such as ``8.9 MB``."""
    for divisor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= divisor:
            return f"{number / divisor:.1f} {unit}"
    return f"{number:.0f} bytes"


def clock(seconds: float) -> str:
    """A duration such as ``0:04`` or ``1:02:30``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def layer_line(layer: int, to: int, rate: float = 0.0, seconds_left: float | None = None) -> str:
    """How far work is that goes from layer to layer.

    Args:
        layer: that is passed now.
        to: the one after the last.
        rate: bytes a second at which layers are read; 0 for none.
        seconds_left: of the work; None while that is not known.
    """
    line = f"layer {layer} of {to}" + (f", read at {size(rate)} a second" if rate else "")
    return line + (f", about {duration(seconds_left)} left" if seconds_left is not None else "")


def about(seconds: float) -> str:
    """What work is expected to take, no finer than is known, such as ``about 40 s``."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 10:
        return f"about {seconds:.0f} s"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} s"
    minutes = seconds / 60
    if minutes < 9.5:
        return f"about {count(max(1, round(minutes)), 'minute')}"
    if minutes < 57.5:
        return f"about {5 * round(minutes / 5)} minutes"
    hours = minutes / 60
    whole = f"{hours:.0f}" if hours >= 9.5 else f"{round(2 * hours) / 2:g}"
    return f"about {whole} hour{'' if whole == '1' else 's'}"


def duration(seconds: float) -> str:
    """A duration to the tenth of a second while it is short, such as ``3.2 s`` or ``1:40``."""
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def share(value: float | None) -> str:
    """A metric from 0 to 1, such as ``0.98``; a dash when it was not measured.

    Only a perfect share reads ``1.00``.
    """
    if value is None:
        return "–"
    return "0.99" if 0.99 < value < 1 else f"{value:.2f}"


def small(value: float) -> str:
    """A loss or a rate in three digits, such as ``0.0123`` or ``5e-05``."""
    return f"{value:.3g}" if math.isfinite(value) else str(value)


def model_name(name: str) -> str:
    """What people call a model: of a path the folder or file alone, else the name itself.

    A folder of the hub's cache is called as the hub calls it; one whose own name says nothing, such
    as ``checkpoint-100``, has the name of the folder around it in front.

    Args:
        name: ``builtin``, a hub id, or a path.
    """
    if not (name.startswith((".", "~", "/")) or "\\" in name or re.match(r"[A-Za-z]:/", name)):
        return name
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..", "~")]
    if not parts:
        return name
    *around, last = parts
    cached = [part for part in around if part.startswith("models--")]
    if cached and "snapshots" in around:
        return cached[-1].removeprefix("models--").replace("--", "/")
    plain = re.fullmatch(r"(checkpoint|step|epoch)?[-_]?\d*|model|final|merged|output|hf", last)
    return f"{around[-1]}/{last}" if plain and around else last


def one_line(text: str, most: int = 200) -> str:
    """Text of unknown origin for a message: one line, not too long, and nothing that acts.

    Args:
        text: anything.
        most: characters that are kept; what is cut ends with an ellipsis.
    """
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
