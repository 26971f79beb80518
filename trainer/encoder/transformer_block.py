"""A post-LayerNorm transformer block, laid out for speed on a CPU.

The block of BERT (Devlin et al. 2019): multi-head attention, add and normalise, two dense layers
with GELU, add and normalise. Three things make it several times faster than the general one of
keras-hub (`docs/journal/performance.md`):

- Dense layers see the batch flattened to [batch * length, width], so that each is one matrix
  product. As an einsum over [batch, length, width] TensorFlow computes the gradient of a kernel
  once per row of the batch and then adds these up.
- `newest` computes the state of position 0 alone, which is all that the last block is needed for.
  With one query a row, the key and value projections are applied to the query and to the weighted
  mean of the inputs instead of to every input: q . (K x) = (K' q) . x.
- Dropout draws a byte, not a float, for each element.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainer.encoder.dropout import ByteDropout

HIDDEN = -1e9
"""Added to the attention scores of what may not be seen."""
_EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="cohortrec")
class TransformerBlock(keras.layers.Layer):
    """Attention over all visible positions, then a feed-forward network.

    Keys have no bias: it would add the same number to all scores of a query, which softmax ignores.

    Args:
        width: of the inputs and outputs.
        heads: attention heads; a divisor of the width.
        feedforward: width of the hidden layer.
        dropout: rate, on attention weights and on both outputs.
        initializer_stddev: of the truncated normal that kernels start from.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        feedforward: int,
        dropout: float,
        initializer_stddev: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "width": width,
            "heads": heads,
            "feedforward": feedforward,
            "dropout": dropout,
            "initializer_stddev": initializer_stddev,
        }
        self.width = width
        self.heads = heads
        self.head_width = width // heads

        def dense(units: int, name: str, use_bias: bool = True) -> keras.layers.Dense:
            start = keras.initializers.TruncatedNormal(stddev=initializer_stddev)
            return keras.layers.Dense(units, kernel_initializer=start, use_bias=use_bias, name=name)

        self.query = dense(width, "query")
        self.key = dense(width, "key", use_bias=False)
        self.value = dense(width, "value")
        self.projection = dense(width, "projection")
        self.hidden = dense(feedforward, "hidden")
        self.shrink = dense(width, "shrink")
        self.attention_norm = keras.layers.LayerNormalization(
            epsilon=_EPSILON, name="attention_norm"
        )
        self.output_norm = keras.layers.LayerNormalization(epsilon=_EPSILON, name="output_norm")
        self.attention_dropout = ByteDropout(dropout, name="attention_dropout")
        self.projection_dropout = ByteDropout(dropout, name="projection_dropout")
        self.output_dropout = ByteDropout(dropout, name="output_dropout")

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights; their shapes do not depend on an input."""
        if getattr(self, "built", False):
            return
        rows = (None, self.width)
        for layer in (self.query, self.key, self.value, self.projection, self.hidden):
            layer.build(rows)
        self.shrink.build((None, self.hidden.units))
        self.attention_norm.build(rows)
        self.output_norm.build(rows)
        self.built = True

    def call(self, x: tf.Tensor, visible: tf.Tensor, training: bool = False) -> tf.Tensor:
        """States of all positions.

        Args:
            x: [batch, length, width].
            visible: bool [batch, length], what may be attended to; at least one place a row.
            training: whether dropout applies.

        Returns:
            [batch, length, width].
        """
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        flat = tf.reshape(x, [-1, self.width])

        def by_head(rows: tf.Tensor) -> tf.Tensor:
            rows = tf.reshape(rows, [batch, length, self.heads, self.head_width])
            return tf.transpose(rows, [0, 2, 1, 3])

        query = by_head(self.query(flat)) * self.head_width**-0.5
        scores = tf.matmul(query, by_head(self.key(flat)), transpose_b=True)
        weights = self._weights(scores, visible[:, None, None, :], training)
        mixed = tf.transpose(tf.matmul(weights, by_head(self.value(flat))), [0, 2, 1, 3])
        states = self._finish(flat, tf.reshape(mixed, [-1, self.width]), training)
        return tf.reshape(states, tf.shape(x))

    def newest(self, x: tf.Tensor, visible: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The state of position 0, [batch, width]: what `call` gives there.

        Args:
            x: [batch, length, width].
            visible: bool [batch, length].
            training: whether dropout applies.
        """
        newest = x[:, 0, :]
        # [heads, batch, head width]: one matrix product a head from here on.
        query = tf.reshape(self.query(newest), [-1, self.heads, self.head_width])
        query = tf.transpose(query, [1, 0, 2]) * self.head_width**-0.5
        towards_inputs = tf.matmul(query, _by_head(self.key, self.heads, x.dtype), transpose_b=True)
        scores = tf.matmul(tf.transpose(towards_inputs, [1, 0, 2]), x, transpose_b=True)
        weights = self._weights(scores, visible[:, None, :], training)
        mean = tf.transpose(tf.matmul(weights, x), [1, 0, 2])
        mixed = tf.matmul(mean, _by_head(self.value, self.heads, x.dtype))
        mixed = tf.transpose(mixed, [1, 0, 2])
        # The bias belongs to every value; after dropout the weights do not sum to one.
        bias = tf.reshape(tf.cast(self.value.bias, x.dtype), [self.heads, self.head_width])
        mixed += bias * tf.reduce_sum(weights, axis=-1, keepdims=True)
        return self._finish(newest, tf.reshape(mixed, [-1, self.width]), training)

    def _weights(self, scores: tf.Tensor, visible: tf.Tensor, training: bool) -> tf.Tensor:
        """Attention weights of scores; `visible` must broadcast against them."""
        masked = tf.cast(scores, tf.float32) + tf.where(visible, 0.0, HIDDEN)
        weights = tf.cast(tf.nn.softmax(masked), scores.dtype)
        return self.attention_dropout(weights, training=training)

    def _finish(self, x: tf.Tensor, mixed: tf.Tensor, training: bool) -> tf.Tensor:
        """Everything after the attention, on rows [rows, width]."""
        attended = self.projection_dropout(self.projection(mixed), training=training)
        x = self.attention_norm(x + attended)
        # The tanh form of GELU, as in the original BERT; its exact form costs twice the time.
        hidden = tf.nn.gelu(self.hidden(x), approximate=True)
        shrunk = self.output_dropout(self.shrink(hidden), training=training)
        return self.output_norm(x + shrunk)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **self._arguments}


def _by_head(layer: keras.layers.Dense, heads: int, dtype: Any) -> tf.Tensor:
    """A kernel [width, width] as [heads, width, width / heads]; with LoRA, its changes too."""
    kernel = tf.cast(tf.convert_to_tensor(layer.kernel), dtype)
    width = kernel.shape[0]
    return tf.transpose(tf.reshape(kernel, [width, heads, width // heads]), [1, 0, 2])
