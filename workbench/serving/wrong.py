"""What is wrong with a request, in the shape in which OpenAI's clients read it."""

from typing import Any

__all__ = ["Wrong"]

_TYPES = {401: "authentication_error", 403: "permission_error", 500: "server_error"}


class Wrong(Exception):
    """A request that cannot be answered.

    Args:
        message: what is wrong and what to do.
        param: which of its fields it is; empty for none.
        status: of the answer.
        code: a word for programs; empty for none.
    """

    def __init__(self, message: str, param: str = "", status: int = 400, code: str = "") -> None:
        super().__init__(message)
        self.message, self.param, self.status, self.code = message, param, status, code

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        kind = _TYPES.get(self.status, "invalid_request_error")
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param or None,
                "code": self.code or None,
            }
        }
