"""What a browser may do with an answer: nothing that another site, or a text in it, asks for.

The page's own scripts are named by their hashes, so that none that is smuggled in runs. Gradio and
Plotly set styles on elements and compile handlers from text, which they are allowed.
"""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders

__all__ = ["PLAIN_POLICY", "page_policy", "protect"]

_PAGE = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-eval' {scripts}",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "frame-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
# For a page of words and a form. Whatever else is opened by itself runs nothing and loads nothing.
PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_OTHER = f"{PLAIN_POLICY}; sandbox"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_SOURCE = re.compile(rb"\bsrc\s*=", re.IGNORECASE)


def page_policy(html: bytes, *scripts: str) -> str:
    """The content security policy of a page of ours.

    Args:
        html: the page; the scripts that stand in it may run.
        scripts: others that it puts into itself.
    """
    inline = [text for marks, text in _SCRIPT.findall(html) if not _SOURCE.search(marks)]
    inline += [text.encode() for text in scripts]
    hashes = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in inline]
    named = " ".join(f"'sha256-{found}'" for found in dict.fromkeys(hashes))
    return "; ".join(_PAGE).format(scripts=named)


def protect(headers: MutableHeaders) -> None:
    """Adds what every answer carries, and takes off what would let other sites read it.

    Args:
        headers: of the answer; a policy that it has already is kept.
    """
    for name in [name for name in headers if name.lower().startswith("access-control-")]:
        del headers[name]
    for name, value in _ALWAYS.items():
        headers[name] = value
    headers.setdefault("Content-Security-Policy", _OTHER)
