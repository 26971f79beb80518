"""What can go wrong with a request, and how a server's answer says so.

REST and gRPC name the same conditions differently; both are brought to one of the classes here.
"""

from __future__ import annotations


class ServingError(Exception):
    """A request was not answered. `retryable` says whether the same request may succeed later."""

    retryable = False


class ServerUnavailable(ServingError):
    """No server answers at the address, or it says that it cannot take the request now.

    Attributes:
        retry_after: seconds that the server asks to wait; 0 when it does not say.
    """

    retryable = True

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceeded(ServingError):
    """No answer in time."""

    retryable = True


class ModelNotFound(ServingError):
    """The server has no such model, version or label."""


class SignatureNotFound(ServingError):
    """The model has no such signature: it does not serve what is asked, or is of another kind."""


class InvalidRequest(ServingError, ValueError):
    """The request cannot be answered as it is: lengths, types or values are wrong."""


class ServerError(ServingError):
    """The server failed, or what answered is not a TensorFlow Serving of the expected model."""


def refusal(code: str, message: str, where: str, retry_after: float = 0.0) -> ServingError:
    """The error for a request that a server refused.

    Args:
        code: canonical status name, as gRPC has it ("NOT_FOUND").
        message: what the server said.
        where: address and model, for the message.
        retry_after: seconds that the server asks to wait.
    """
    said = f"{where}: {message.strip() or code}"
    if "larger than max" in message:
        # gRPC says RESOURCE_EXHAUSTED for this, which otherwise passes with time.
        return InvalidRequest(said)
    if code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"):
        return ServerUnavailable(said, retry_after)
    if code == "DEADLINE_EXCEEDED":
        return DeadlineExceeded(said)
    # A missing signature is INVALID_ARGUMENT over REST and FAILED_PRECONDITION over gRPC.
    if "Serving signature" in message and "not found" in message:
        return SignatureNotFound(said)
    if code == "NOT_FOUND" or "servable version label" in message:
        return ModelNotFound(said)
    if code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"):
        return InvalidRequest(said)
    return ServerError(said)
