"""REST, as TensorFlow Serving speaks it: JSON columns in (`inputs`), JSON columns out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from cohortrec_client.errors import DeadlineExceeded, ServerError, ServerUnavailable, refusal
from cohortrec_client.rest_json import from_json, to_json
from cohortrec_client.tensor import Tensor
from cohortrec_client.transport import MAX_ANSWER_BYTES, VersionStatus

STATUS_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""HTTP status to canonical status; any other is an error of the server."""

_SHOWN = 300


class RestTransport:
    """A model behind `http://…/v1/models/NAME`."""

    def __init__(
        self, server: str, name: str, *, version: int | None = None, label: str | None = None
    ) -> None:
        """Prepares connections; none is made yet.

        Args:
            server: address, perhaps with a path in front of `/v1`.
            name: the model's name.
            version: ask for this version.
            label: ask for the version with this label.
        """
        url = f"{server.rstrip('/')}/v1/models/{quote(name, safe='')}"
        self._status_url = url
        if version is not None:
            url += f"/versions/{version}"
        elif label is not None:
            url += f"/labels/{quote(label, safe='')}"
        self._predict_url = f"{url}:predict"
        self._where = f"model {name!r} at {server}"
        self._http = httpx.Client()

    def predict(
        self, signature: str, inputs: Mapping[str, Tensor], timeout: float
    ) -> dict[str, Tensor]:
        """See `Transport.predict`."""
        columns = {name: to_json(tensor) for name, tensor in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": columns}).encode()
        answer = self._ask("POST", self._predict_url, body, timeout)
        try:
            return {name: from_json(name, value) for name, value in answer["outputs"].items()}
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise ServerError(f"{self._where}: not an answer of the model: {error!r}") from None

    def status(self, timeout: float) -> list[VersionStatus]:
        """See `Transport.status`."""
        answer = self._ask("GET", self._status_url, None, timeout)
        try:
            return [
                VersionStatus(
                    int(version["version"]),
                    str(version["state"]),
                    str(version.get("status", {}).get("error_message", "")),
                )
                for version in answer["model_version_status"]
            ]
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise ServerError(f"{self._where}: not a model's status: {error!r}") from None

    def close(self) -> None:
        """See `Transport.close`."""
        self._http.close()

    def _ask(self, method: str, url: str, body: bytes | None, timeout: float) -> Any:
        """One request; the parsed JSON of an answer with status 200."""
        try:
            status, headers, content = self._exchange(method, url, body, timeout)
        except httpx.TimeoutException:
            raise DeadlineExceeded(f"{self._where}: no answer within {timeout:.3g} s") from None
        except httpx.TransportError as error:
            raise ServerUnavailable(f"{self._where}: no server answers ({error})") from None
        # Ids that are no UTF-8 stand in the answer as they are; see `item_ids`.
        text = content.decode("utf-8", "surrogateescape")
        if status != 200:
            code = STATUS_CODES.get(status, "UNKNOWN")
            message = f"{_message(text)} (HTTP {status})"
            raise refusal(code, message, self._where, _seconds(headers.get("Retry-After", "")))
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ServerError(f"{self._where}: answered no JSON: {text[:_SHOWN]!r}") from None

    def _exchange(
        self, method: str, url: str, body: bytes | None, timeout: float
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body. A server that drips its answer does not outlast the timeout."""
        end = time.monotonic() + timeout
        headers = {"Content-Type": "application/json"} if body is not None else {}
        content = bytearray()
        with self._http.stream(
            method, url, content=body, headers=headers, timeout=timeout
        ) as answer:
            for block in answer.iter_bytes():
                content += block
                if time.monotonic() > end:
                    raise httpx.ReadTimeout("the answer takes too long")
                if len(content) > MAX_ANSWER_BYTES:
                    raise ServerError(
                        f"{self._where}: an answer of more than {MAX_ANSWER_BYTES >> 20} MiB"
                    )
            return answer.status_code, answer.headers, bytes(content)


def _message(text: str) -> str:
    """What an error says: `{"error": …}` of TensorFlow Serving, or the text of somebody else."""
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        error = " ".join(text.split())
    return str(error)[:_SHOWN]


def _seconds(retry_after: str) -> float:
    """A `Retry-After` in seconds; 0 without one, or where it is a date."""
    return float(retry_after) if retry_after.isdecimal() else 0.0
