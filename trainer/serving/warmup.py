"""Warm-up requests that TF Serving replays when it loads a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from trainer.raw_history import ACTIONS, ITEM_IDS, TIMESTAMPS

if TYPE_CHECKING:
    from tensorflow_serving.apis import predict_pb2

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(
    directory: str, histories: Sequence[bytes], by_columns: Sequence[str] = ("recommend",)
) -> None:
    """Writes requests of one history and of all, so that both batch paths are warm.

    All signatures that clients ask are warmed up: `serving_default`, `recommend` and its variants.

    Args:
        directory: the SavedModel.
        histories: serialized raw histories.
        by_columns: signatures that take histories as columns, see `Recommender.by_columns`.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    path = f"{directory}/{WARMUP_FILE}"
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.TFRecordWriter(path) as writer:
        for request in _requests(histories, by_columns):
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _requests(
    histories: Sequence[bytes], by_columns: Sequence[str]
) -> Iterator[predict_pb2.PredictRequest]:
    for batch in (histories[:1], histories):
        examples = tf.make_tensor_proto(list(batch), dtype=tf.string, shape=[len(batch)])
        yield _request("serving_default", examples=examples)
        for signature in by_columns:
            yield _request(signature, **_columns(batch))


def _request(signature: str, **inputs: Any) -> predict_pb2.PredictRequest:
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, tensor in inputs.items():
        request.inputs[name].CopyFrom(tensor)
    return request


def _columns(histories: Sequence[bytes]) -> dict[str, Any]:
    """The inputs of `recommend`: tensors [batch, length], padded at the end."""
    features = [tf.train.Example.FromString(history).features.feature for history in histories]
    items = [list(each[ITEM_IDS].bytes_list.value) for each in features]
    actions = [list(each[ACTIONS].bytes_list.value) for each in features]
    times = [list(each[TIMESTAMPS].int64_list.value) for each in features]
    # Not even an empty history has a request of length 0: clients send one padded place.
    length = max([1, *map(len, items)])
    return {
        "item_ids": _padded(items, length, b"", tf.string),
        "actions": _padded(actions, length, b"", tf.string),
        "timestamps": _padded(times, length, 0, tf.int64),
    }


def _padded(rows: list[list[Any]], length: int, padding: bytes | int, dtype: tf.DType) -> Any:
    values = [value for row in rows for value in (row + [padding] * length)[:length]]
    return tf.make_tensor_proto(values, dtype=dtype, shape=[len(rows), length])
