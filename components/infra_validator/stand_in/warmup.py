"""Replays the warm-up requests of a model when it is loaded; one that fails fails the model."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import grpc

from cohortrec_client.serving_messages import prediction_log_pb2
from components.infra_validator.stand_in.predict import predict
from components.infra_validator.stand_in.refusal import Refusal, invalid
from components.infra_validator.stand_in.saved_model import SavedModel

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_REQUESTS = 1000
"""TensorFlow Serving refuses a model with more."""

_CRC_DELTA = 0xA282EAD8


def warm_up(model: SavedModel, folder: Path) -> int:
    """Runs the requests beside a model.

    Returns:
        How many there were; 0 without the file.

    Raises:
        Refusal: the file is damaged, or the model does not answer a request in it.
    """
    file = folder / WARMUP_FILE
    if not file.is_file():
        return 0
    count = 0
    for record in _records(file):
        count += 1
        if count > MAX_REQUESTS:
            raise invalid(f"{WARMUP_FILE} has more than {MAX_REQUESTS} requests")
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.WhichOneof("log_type") != "predict_log":
            raise invalid(f"{WARMUP_FILE}: the stand-in model server replays predict_log only")
        try:
            predict(model, log.predict_log.request, timeout=300.0)
        except Refusal as refusal:
            raise Refusal(
                refusal.code, f"warm-up request {count} fails: {refusal.message}"
            ) from None
    return count


def _records(file: Path) -> Iterator[bytes]:
    """The records of a TFRecord file: length, its checksum, data, its checksum."""
    with file.open("rb") as stream:
        while head := stream.read(12):
            if len(head) < 12 or _masked(head[:8]) != struct.unpack("<I", head[8:])[0]:
                raise _damaged(file)
            (length,) = struct.unpack("<Q", head[:8])
            data = stream.read(length)
            tail = stream.read(4)
            if len(data) < length or len(tail) < 4 or _masked(data) != struct.unpack("<I", tail)[0]:
                raise _damaged(file)
            yield data


def _masked(data: bytes) -> int:
    """CRC-32C, rotated and shifted as TFRecord files have it."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _CRC_DELTA) & 0xFFFFFFFF


def _damaged(file: Path) -> Refusal:
    return Refusal(grpc.StatusCode.DATA_LOSS, f"{file.name} is damaged")
