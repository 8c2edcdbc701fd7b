"""Where the server listens, and how people write that address."""

import ipaddress
import socket

from workbench.errors import SessionError

__all__ = ["address_of", "is_for_others", "listen"]

FIRST_PORT = 7860
PORTS_TRIED = 20


def listen(host: str, port: int | None, first: int = FIRST_PORT) -> socket.socket:
    """A listening socket on the port that was asked for, else on the first free one.

    Args:
        host: the name or address to listen on; an IPv6 one may stand in brackets.
        port: None for the first free one.
        first: from where on a free one is looked for.

    Raises:
        SessionError: the port is taken, or the address is not this machine's.
    """
    host = host.strip("[]")
    ports = [port] if port is not None else range(first, first + PORTS_TRIED)
    for candidate in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if host == "::":  # all addresses, the old ones too
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((host, candidate))
            listener.listen(128)
        except (OSError, OverflowError, UnicodeError):
            listener.close()
        else:
            return listener
    refused = f"Port {port} on {host} cannot be used; another program may have it."
    if port is None:
        refused = f"No port from {first} on {host} can be used; other programs have them."
    raise SessionError(f"{refused} Choose another with --port.")


def is_for_others(listener: socket.socket) -> bool:
    """Whether anything beyond this machine can reach a listening socket."""
    return not _address(listener).is_loopback


def address_of(listener: socket.socket, host: str, elsewhere: bool = False) -> str:
    """The address to open, with a slash at its end.

    Args:
        listener: the socket.
        host: what was asked for.
        elsewhere: whether it is opened on another machine.
    """
    host = host.strip("[]")
    if _address(listener).is_unspecified:
        host = socket.gethostname() if elsewhere else "127.0.0.1"
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}/"


def _address(listener: socket.socket) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(str(listener.getsockname()[0]).partition("%")[0])
