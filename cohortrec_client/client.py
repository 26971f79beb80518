"""The client that applications use."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from urllib.parse import urlsplit

from cohortrec_client.asks import Asks, signature_for, why_not_any
from cohortrec_client.errors import InvalidRequest, ServingError, SignatureNotFound
from cohortrec_client.history import History, padded, serialized
from cohortrec_client.recommendations import Recommendations, from_outputs
from cohortrec_client.retrying import Patience
from cohortrec_client.shelves import Shelf, why_not_served
from cohortrec_client.transport import Transport, VersionStatus


class Client:
    """Asks one model; safe to use from several threads. Close it, or use it in a `with`.

    Example:
        >>> from cohortrec_client import History, Patience, ServerUnavailable, connect
        >>> once = Patience(attempts=1)
        >>> with connect("http://127.0.0.1:9", "shop", patience=once) as client:
        ...     try:
        ...         print(client.recommend(History(["22423"])).item_ids)
        ...     except ServerUnavailable:
        ...         print("nobody answers; show the best sellers")
        nobody answers; show the best sellers
    """

    def __init__(
        self, transport: Transport, patience: Patience | None = None, asked: str = ""
    ) -> None:
        """Wraps a transport; `connect` makes one from an address.

        Args:
            transport: the way to the model.
            patience: timeouts and retries.
            asked: the version that is asked, for messages; "" = the newest one.
        """
        self._transport = transport
        self._patience = patience or Patience()
        self._asked = asked

    def recommend(
        self, history: History, shelf: Shelf = "all", asks: Asks = "target"
    ) -> Recommendations:
        """What comes after one history; see `recommend_many`."""
        return self.recommend_many([history], shelf, asks)[0]

    def recommend_many(
        self, histories: Sequence[History], shelf: Shelf = "all", asks: Asks = "target"
    ) -> list[Recommendations]:
        """What comes after each of several histories, asked in one request.

        Args:
            histories: of any lengths, also empty ones.
            shelf: which items may be listed: `all`, those of the history (`own`), or those that
                are not in it (`new`). Scores are the same on all shelves, so that lists merge. The
                list of `own` is no longer than the history.
            asks: what is asked for: an item with one of the model's target actions (`target`), or
                what comes next, whatever the action (`any`, which goes with the shelf `all`).

        Returns:
            An answer for each, in the same order; none for an empty batch, which is not sent.

        Raises:
            InvalidRequest: the server does not accept the histories, or there is no such shelf or
                nothing such to ask for.
            ServerUnavailable: nobody answers, also after the retries.
            DeadlineExceeded: no answer in time.
            ModelNotFound: the server has no such model, version or label.
            SignatureNotFound: the model does not serve the shelf, has no target actions so that it
                cannot be asked for anything else, or is not one of cohortrec's.
            ServerError: anything else.
        """
        signature = signature_for(shelf, asks)
        if not histories:
            return []
        inputs = padded(histories)
        try:
            outputs = self._patience.call(
                lambda timeout: self._transport.predict(signature, inputs, timeout)
            )
        except SignatureNotFound as error:
            if signature == "recommend":
                raise
            version = self._version()
            why = why_not_any(version) if asks == "any" else why_not_served(shelf, version)
            raise SignatureNotFound(f"{error}: {why}") from None
        return from_outputs(outputs, len(histories))

    def recommend_examples(self, examples: Sequence[bytes]) -> list[Recommendations]:
        """As `recommend_many`, for raw histories as serialized messages `tf.Example`."""
        if not examples:
            return []
        inputs = serialized(examples)
        outputs = self._patience.call(
            lambda timeout: self._transport.predict("serving_default", inputs, timeout)
        )
        return from_outputs(outputs, len(examples))

    def status(self) -> list[VersionStatus]:
        """The versions of the model that the server knows, newest first.

        Raises:
            ServingError: as `recommend_many`.
        """
        versions = self._patience.call(self._transport.status)
        return sorted(versions, key=lambda status: status.version, reverse=True)

    def _version(self) -> str:
        """The version that answers, for people."""
        if self._asked:
            return self._asked
        try:
            served = [each.version for each in self.status() if each.state == "AVAILABLE"]
        except ServingError:
            served = []
        return f"version {served[0]}" if served and served[0] else "this version"

    def close(self) -> None:
        """Frees the connections."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    server: str,
    name: str,
    *,
    version: int | None = None,
    label: str | None = None,
    patience: Patience | None = None,
) -> Client:
    """A client of a model that TensorFlow Serving serves. Nothing is asked yet.

    Args:
        server: `http://host:8501` or `https://…` for REST, `grpc://host:8500` or (with TLS)
            `grpcs://…` for gRPC.
        name: the model's name on the server.
        version: ask for this version instead of the newest.
        label: ask for the version with this label, for example "canary".
        patience: timeouts and retries.

    Raises:
        InvalidRequest: the address has another form, or version and label are both given.
    """
    parts = urlsplit(server)
    if not parts.hostname or parts.scheme not in ("http", "https", "grpc", "grpcs"):
        raise InvalidRequest(
            f"server {server!r}: write it as http://host:8501 (REST) or grpc://host:8500"
        )
    if not name:
        raise InvalidRequest("the model's name on the server is empty")
    if version is not None and label is not None:
        raise InvalidRequest("give a version or a label, not both")
    asked = f"version {version}" if version is not None else ""
    if label is not None:
        asked = f"the version with the label {label!r}"
    # Only what the chosen transport needs is imported.
    if parts.scheme.startswith("http"):
        from cohortrec_client.rest_transport import RestTransport

        return Client(RestTransport(server, name, version=version, label=label), patience, asked)
    from cohortrec_client.grpc_transport import GrpcTransport

    return Client(GrpcTransport(server, name, version=version, label=label), patience, asked)
