"""JSON that somebody sent, as data. Knows nothing about what it should hold."""

import json

__all__ = ["from_json"]


def from_json(body: bytes) -> object:
    """The data of a JSON text in UTF-8.

    Raises:
        ValueError: it is none, or a text in it holds half of a character, which nothing can write.
    """
    try:
        found: object = json.loads(body.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("too deep") from error
    if b"\\u" in body:
        json.dumps(found, ensure_ascii=False).encode()
    return found
