"""Why the stand-in model server does not answer a request."""

from __future__ import annotations

import grpc

_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class Refusal(Exception):
    """A request or a model that is refused, with TensorFlow's canonical status.

    Attributes:
        code: the status as gRPC has it.
        message: the reason.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def of_number(cls, number: int, message: str) -> Refusal:
        """From a status number of TensorFlow's C API; they are gRPC's."""
        return cls(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), message)

    @property
    def http_status(self) -> int:
        """The HTTP status that TensorFlow Serving gives for it."""
        return _HTTP.get(self.code.name, 500)


def invalid(message: str) -> Refusal:
    """A request that is wrong in itself."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
