"""Why the stand-in model server does not answer a request."""

from __future__ import annotations

import grpc

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


def invalid(message: str) -> Refusal:
    """A request that is wrong in itself."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
