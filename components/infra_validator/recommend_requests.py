"""Requests for the signature `recommend`, which most clients use, from stored histories.

TFX builds requests only for signatures that take serialized examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from trainer import raw_history

SIGNATURE = "recommend"


def recommend_requests(requests: Sequence[Any]) -> list[Any]:
    """For each request with an example the same history as columns, and one empty history.

    Args:
        requests: PredictRequests of signatures whose only input is serialized examples.

    Returns:
        PredictRequests, one for each different history.
    """
    found: dict[bytes, Any] = {}
    for request in requests:
        (examples,) = request.inputs.values()
        for record in tf.make_ndarray(examples).ravel():
            if record not in found:
                features = tf.train.Example.FromString(record).features.feature
                items = features[raw_history.ITEM_IDS].bytes_list.value
                found[record] = _request(
                    request.model_spec.name,
                    list(items),
                    # A log without actions or times has none in its histories either.
                    list(features[raw_history.ACTIONS].bytes_list.value) or [b""] * len(items),
                    list(features[raw_history.TIMESTAMPS].int64_list.value) or [0] * len(items),
                )
    if requests:
        found[b""] = _request(requests[0].model_spec.name, [b""], [b""], [0])
    return list(found.values())


def _request(model: str, items: list[bytes], actions: list[bytes], times: list[int]) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = SIGNATURE
    for name, values, dtype in (
        (raw_history.ITEM_IDS, items, tf.string),
        (raw_history.ACTIONS, actions, tf.string),
        (raw_history.TIMESTAMPS, times, tf.int64),
    ):
        request.inputs[name].CopyFrom(
            tf.make_tensor_proto([values], dtype=dtype, shape=[1, len(values)])
        )
    return request
