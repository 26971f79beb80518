"""The REST API of the stand-in: `:predict`, status and metadata."""

from __future__ import annotations

import json
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import grpc

from cohortrec_client.serving_messages import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)
from components.infra_validator.stand_in import grpc_services
from components.infra_validator.stand_in.predict import DEFAULT_SIGNATURE, predict
from components.infra_validator.stand_in.refusal import Refusal, invalid
from tools.stand_in_server import rest_json
from tools.stand_in_server.proto_json import proto_json
from tools.stand_in_server.version_manager import VersionManager

MAX_BODY_BYTES = 16 << 20
MAX_CONNECTIONS = 32
"""At the same time; more are refused."""

_HTTP_STATUS = {
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
"""What TensorFlow Serving makes of a status of gRPC."""

LOG = logging.getLogger("stand_in_model_server")

_CHOICE = r"(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(rf"/v1/models/(?P<name>[^/:]+){_CHOICE}:predict")
_STATUS = re.compile(rf"/v1/models/(?P<name>[^/:]+){_CHOICE}(?P<metadata>/metadata)?")
_TIMEOUT = 30.0


class RestServer(ThreadingHTTPServer):
    """A thread for each connection, within a limit."""

    daemon_threads = True

    def __init__(self, versions: VersionManager, port: int) -> None:
        """Takes the port on this machine's own address.

        Raises:
            OSError: the port is taken.
        """
        self.versions = versions
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread, or closes the connection where there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Gives the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Handler(BaseHTTPRequestHandler):
    server: RestServer
    server_version = "cohortrec-stand-in-model-server"
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT
    """Of the socket: a client that sends nothing does not keep its thread."""

    def do_POST(self) -> None:
        """`:predict`."""
        self._answer(self._predict)

    def do_GET(self) -> None:
        """Status and metadata."""
        self._answer(self._describe)

    def log_message(self, format: str, *args: Any) -> None:
        """To the log instead of the terminal."""
        LOG.debug(format, *args)

    def _answer(self, method: Any) -> None:
        try:
            status, text = 200, method()
        except Refusal as refusal:
            status = _HTTP_STATUS.get(refusal.code.name, 500)
            text = json.dumps({"error": refusal.message})
        except (MemoryError, ValueError, OverflowError) as error:
            status, text = 400, json.dumps({"error": repr(error)})
        content = text.encode("utf-8", "surrogateescape")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            # What is left of a refused body would be read as the next request.
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _predict(self) -> str:
        match = self._match(_PREDICT)
        body = rest_json.parse(self._body())
        spec = _spec(match)
        versions = self.server.versions
        with versions.using(spec) as (_, model):
            signature = body.get("signature_name") or DEFAULT_SIGNATURE
            if signature not in model.signatures:
                raise invalid(f'Serving signature name: "{signature}" not found in signature def')
            request = rest_json.to_request(body, model.signatures[signature].inputs)
            answer = predict(model, request, _TIMEOUT)
        return rest_json.from_answer(answer, by_row=rest_json.ROWS in body)

    def _describe(self) -> str:
        match = self._match(_STATUS)
        versions, spec = self.server.versions, _spec(match)
        if not match["metadata"]:
            request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
            return proto_json(grpc_services.status(versions, request))
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with versions.using(spec) as (number, model):
            for name, definition in model.signatures.items():
                signatures.signature_def[name].CopyFrom(definition)
        answered = model_pb2.ModelSpec(name=spec.name)
        answered.version.value = number
        return (
            f'{{"model_spec": {proto_json(answered)}, '
            f'"metadata": {{"signature_def": {proto_json(signatures)}}}}}'
        )

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.fullmatch(self.path)
        if match is None:
            raise invalid(f"Malformed request: {self.command} {self.path}")
        return match

    def _body(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise invalid("the request needs a Content-Length")
        if int(length) > MAX_BODY_BYTES:
            raise invalid(f"the request is larger than max ({MAX_BODY_BYTES >> 20} MiB)")
        content = self.rfile.read(int(length))
        if len(content) < int(length):
            raise Refusal(grpc.StatusCode.CANCELLED, "the request ends early")
        return content.decode("utf-8", "surrogateescape")


def _spec(match: re.Match[str]) -> Any:
    spec = model_pb2.ModelSpec(name=unquote(match["name"]))
    if match["version"]:
        spec.version.value = int(match["version"])
    elif match["label"]:
        spec.version_label = unquote(match["label"])
    return spec
