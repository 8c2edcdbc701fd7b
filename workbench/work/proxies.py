"""The proxies that the environment names, in the form that the libraries here understand.

Desktops write ``socks://`` for SOCKS 5; httpx knows no such scheme, and Gradio and the hub's
library make their connections when they are imported, so that one such variable ends the start.
No proxy may stand between the workbench and this machine itself.
"""

import logging
import os
from collections.abc import MutableMapping

__all__ = ["settle_proxies"]

_VARIABLES = ("all_proxy", "http_proxy", "https_proxy")
_HERE = ("localhost", "127.0.0.1", "::1")

log = logging.getLogger(__name__)


def settle_proxies(environment: MutableMapping[str, str] = os.environ) -> None:
    """Mends the variables of proxies, here and for whatever is started from here.

    Args:
        environment: changed in place; nothing is when it names no proxy.
    """
    found = [name for name in environment if name.lower() in _VARIABLES and environment[name]]
    for name in found:
        address = environment[name].strip()
        scheme, mark, rest = address.partition("://")
        if mark and scheme.lower() == "socks":
            address = f"socks5://{rest}"
        if _is_known(address):
            environment[name] = address
        else:
            del environment[name]
            log.warning(
                "The proxy in %s is of a kind that is not understood here, so the hub is asked "
                "without it. SOCKS 5 and HTTP proxies are: socks5://host:port, http://host:port.",
                name,
            )
    if found:
        _pass_over_this_machine(environment)


def _is_known(address: str) -> bool:
    import httpx

    try:
        httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        return False
    return True


def _pass_over_this_machine(environment: MutableMapping[str, str]) -> None:
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in said.split(",") if name.strip()]
    if "*" not in names:
        names += [name for name in _HERE if name not in names]
    for variable in ("no_proxy", "NO_PROXY"):
        environment[variable] = ",".join(names)
