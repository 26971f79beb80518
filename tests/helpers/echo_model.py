"""A model with the signatures of a recommender that tells what it was asked, made in no time."""

from pathlib import Path

import tensorflow as tf


def write_echo_model(
    folder: Path, number: int = 1, python_op: bool = False, refuses: bytes = b"refused"
) -> Path:
    """Writes a SavedModel.

    Args:
        folder: where to.
        number: the answered cluster.
        python_op: let `embed` call Python, which no model server can.
        refuses: the item at which `recommend` fails.

    Returns:
        The folder.
    """

    class Echo(tf.Module):
        def __init__(self):
            super().__init__()
            self.half = tf.Variable(0.5)

        def answer(self, item_ids, times):
            refused = tf.reduce_any(tf.equal(item_ids, refuses))
            with tf.control_dependencies([tf.debugging.Assert(~refused, ["refused item"])]):
                batch = tf.shape(item_ids)[0]
            return {
                "item_ids": item_ids[:, ::-1],
                "scores": tf.cast(times[:, ::-1], tf.float32) * self.half,
                "cluster_id": tf.fill([batch], tf.constant(number, tf.int64)),
                "cluster_weights": tf.fill([batch, 2], self.half),
            }

    echo = Echo()
    text = [tf.TensorSpec([None, None], tf.string, name=n) for n in ("item_ids", "actions")]
    examples = tf.TensorSpec([None], tf.string, name="examples")

    def history(serialized):
        spec = {
            "item_ids": tf.io.VarLenFeature(tf.string),
            "timestamps": tf.io.VarLenFeature(tf.int64),
        }
        parsed = tf.io.parse_example(serialized, spec)
        return [tf.sparse.to_dense(parsed[name]) for name in spec]

    @tf.function(input_signature=[*text, tf.TensorSpec([None, None], tf.int64, name="timestamps")])
    def recommend(item_ids, actions, timestamps):
        return echo.answer(item_ids, timestamps)

    @tf.function(input_signature=[examples])
    def serving_default(examples):
        return echo.answer(*history(examples))

    @tf.function(input_signature=[examples])
    def embed(examples):
        size = tf.strings.length(examples)
        if python_op:
            size = tf.ensure_shape(tf.py_function(lambda value: value, [size], tf.int32), [None])
        return {"embedding": tf.cast(size, tf.float32)[:, None] * echo.half}

    signatures = {"recommend": recommend, "serving_default": serving_default, "embed": embed}
    tf.saved_model.save(echo, str(folder), signatures=signatures)
    return folder
