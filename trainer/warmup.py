"""Warm-up requests that TF Serving replays when it loads a model."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(directory: str, histories: Sequence[bytes]) -> None:
    """Writes a request of one history and one of all, so that both batch paths are warm.

    Args:
        directory: the SavedModel.
        histories: serialized raw histories.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = f"{directory}/{WARMUP_FILE}"
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.TFRecordWriter(path) as writer:
        for batch in (histories[:1], histories):
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = "serving_default"
            request.inputs["examples"].CopyFrom(
                tf.make_tensor_proto(list(batch), dtype=tf.string, shape=[len(batch)])
            )
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
