"""The bodies of requests, for what answers before anybody has read them."""

from starlette.types import Receive

__all__ = ["TooLong", "drain", "read_body"]

_DRAINED = 1 << 20  # bytes


class TooLong(Exception):
    """A body is longer than it may be, or the request ended before its body did."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body.

    Args:
        receive: of the request.
        limit: bytes.

    Raises:
        TooLong: it is not to be had.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise TooLong
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLong
        if not message.get("more_body"):
            return b"".join(parts)


async def drain(receive: Receive) -> None:
    """Lets a body come in that nobody wants: a connection that is closed while one is being sent
    takes the answer with it.

    Args:
        receive: of the request; of a long body only the beginning is taken.
    """
    try:
        await read_body(receive, _DRAINED)
    except TooLong:
        return
