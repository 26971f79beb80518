"""One transformer block of several towers side by side, laid out for answering.

The matrices of an attention head are multiplied beforehand, W_q W_kᵀ / √d and W_v W_o, so that
heads need neither projections of their own nor a transposition. This is less work to start, not
less arithmetic: with h heads and width w, each state meets two matrices of w · h w numbers instead
of four of w · w, which is more for more than two heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from trainer.encoder.batched_product import few_rows_product, product
from trainer.encoder.transformer_block import TransformerBlock
from trainer.inference.member_rows import MemberRows
from trainer.inference.packed_rows import PackedRows


class StackedBlock(tf.Module):
    """One transformer block of every member."""

    def __init__(self, blocks: Sequence[TransformerBlock]) -> None:
        super().__init__()
        merged = [_merged_attention(block) for block in blocks]
        self._width, self._heads = blocks[0].width, blocks[0].heads
        self._towards = _Dense([(kernel, bias) for kernel, bias, _, _ in merged])
        self._mix = _Dense([(kernel, bias) for _, _, kernel, bias in merged])
        self._attention_norm = StackedNorm([block.attention_norm for block in blocks])
        self._hidden = _Dense([(b.hidden.kernel, b.hidden.bias) for b in blocks], _gelu)
        self._shrink = _Dense([(b.shrink.kernel, b.shrink.bias) for b in blocks])
        self._output_norm = StackedNorm([block.output_norm for block in blocks])

    def __call__(self, rows: tf.Tensor, places: PackedRows) -> tf.Tensor:
        """States of all visible places, as rows [G, visible, width].

        Args:
            rows: float32 [G, visible, width], the inputs.
            places: where in the batch the rows come from.
        """
        x = places.padded(rows)
        # What each head looks for, in the inputs' own space.
        towards = places.padded(self._towards(rows, places.members), self._heads)
        scores = product(towards, x, places.few, transpose_b=True)
        means = product(_softmax(scores + places.mask), x, places.few)
        return self._finish(rows, places.packed(self._side_by_side(means)), places.members)

    def newest(self, rows: tf.Tensor, places: PackedRows) -> tf.Tensor:
        """The states of the newest places alone, [G, batch, width]; see a call."""
        x, newest = places.padded(rows), places.newest(rows)
        towards = self._towards(newest, places.users)
        towards = tf.reshape(towards, [x.shape[0], -1, self._heads, self._width])
        scores = few_rows_product(towards, x, transpose_b=True)
        means = few_rows_product(_softmax(scores + places.mask), x)
        return self._finish(newest, self._side_by_side(means), places.users)

    def _side_by_side(self, means: tf.Tensor) -> tf.Tensor:
        """The heads' [G, batch, n * heads, width] as rows [G, batch * n, heads * width]."""
        return tf.reshape(means, [means.shape[0], -1, self._heads * self._width])

    def _finish(self, rows: tf.Tensor, means: tf.Tensor, members: MemberRows) -> tf.Tensor:
        """Everything after the attention: rows [G, n, width], means [G, n, heads * width]."""
        rows = self._attention_norm(rows + self._mix(means, members), members)
        changed = self._shrink(self._hidden(rows, members), members)
        return self._output_norm(rows + changed, members)


class _Dense(tf.Module):
    """A dense layer of every member, on rows [G, n, width].

    One product for each member: TensorFlow fuses bias and activation into a product of two
        matrices, but not into a batch of products, which is also slower.
    """

    def __init__(
        self,
        weights: Sequence[tuple[object, object]],
        activation: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
    ) -> None:
        super().__init__()
        self._kernels = stacked([kernel for kernel, _ in weights])
        self._biases = stacked([bias for _, bias in weights])
        self._activation = activation

    def __call__(self, rows: tf.Tensor, members: MemberRows) -> tf.Tensor:
        each = zip(
            members.split(rows),
            members.each(self._kernels),
            members.each(self._biases),
            strict=True,
        )
        return members.joined([self._activation(tf.nn.bias_add(x @ k, b)) for x, k, b in each])


class StackedNorm(tf.Module):
    """Layer normalisation of every member, on rows [G, n, width]."""

    def __init__(self, norms: Sequence[keras.layers.LayerNormalization]) -> None:
        super().__init__()
        self._epsilon = norms[0].epsilon
        self._scale = stacked([norm.gamma for norm in norms])
        self._shift = stacked([norm.beta for norm in norms])

    def __call__(self, rows: tf.Tensor, members: MemberRows) -> tf.Tensor:
        """Normalised rows, of the same shape."""
        centred = rows - tf.reduce_mean(rows, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        scale, shift = members.own(self._scale), members.own(self._shift)
        return centred * tf.math.rsqrt(variance + self._epsilon) * scale + shift


def _softmax(scores: tf.Tensor) -> tf.Tensor:
    """Softmax over the last axis; `tf.nn.softmax` takes longer for few numbers."""
    odds = tf.exp(scores - tf.reduce_max(scores, axis=-1, keepdims=True))
    return odds / tf.reduce_sum(odds, axis=-1, keepdims=True)


def _gelu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=True)


def _merged_attention(block: TransformerBlock) -> tuple[np.ndarray, ...]:
    """The matrices of a block's attention, head by head.

    Returns:
        Kernel and bias that turn an input into what each head looks for, [width, heads * width] and
        [heads * width]; and kernel and bias that turn the heads' means into the output, [heads *
        width, width] and [width]. Attention weights sum to one, so the last includes the bias of
        the values.
    """
    width, heads = block.width, block.heads

    def by_head(layer: keras.layers.Dense) -> np.ndarray:
        """float64 [heads, width, head width]."""
        return kernel_of(layer).reshape(width, heads, -1).transpose(1, 0, 2)

    query, key, value = (by_head(layer) for layer in (block.query, block.key, block.value))
    scale = block.head_width**-0.5
    score = query @ key.transpose(0, 2, 1) * scale
    bias = _array(block.query.bias).reshape(heads, 1, -1)
    score_bias = bias @ key.transpose(0, 2, 1) * scale
    projection = kernel_of(block.projection)
    mix = value @ projection.reshape(heads, -1, width)
    mix_bias = _array(block.value.bias) @ projection + _array(block.projection.bias)
    return (
        score.transpose(1, 0, 2).reshape(width, heads * width),
        score_bias.reshape(heads * width),
        mix.reshape(heads * width, width),
        mix_bias,
    )


def kernel_of(layer: keras.layers.Dense) -> np.ndarray:
    """A dense layer's matrix, float64; with LoRA, its changes too."""
    return _array(layer.kernel)


def _array(weight: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(weight).astype(np.float64)


def stacked(weights: Sequence[object]) -> tf.Variable:
    """A float32 variable [M, …] of the members' weights."""
    values = np.stack([_array(weight) for weight in weights])
    return tf.Variable(values.astype(np.float32), trainable=False)
