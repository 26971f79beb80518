"""Event towers side by side, laid out for answering: one operation does what each member's did.

A request of one history is a few thousand multiplications in each of a thousand operations, so that
calling operations, not arithmetic, is what takes its time. Here the members stand stacked, and the
matrices of an attention head are multiplied beforehand (W_q W_kᵀ / √d and W_v W_o), which leaves
six matrix products a block, whatever the number of heads, and no transposition. What comes out is
what `EventTower` gives, but for rounding (`docs/performance.md`).

With h heads of a width w, attention multiplies every state by w · h w numbers twice, where the four
separate matrices have w · w each: for more than two heads that is more arithmetic, not less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from trainer import features
from trainer.event_tower import EventTower
from trainer.transformer_block import HIDDEN, TransformerBlock


class StackedTowers(tf.Module):
    """M towers of one shape as one, with the weights that they have now.

    Args:
        towers: at least one; weights are copied, in float32, into variables.
    """

    def __init__(self, towers: Sequence[EventTower]) -> None:
        super().__init__()
        first = towers[0]
        self.max_events = first.max_events
        self.width = first.width
        self._embeddings = {
            name: _stacked([tower.event_embeddings[name].embeddings for tower in towers])
            for name in first.event_embeddings
        }
        self._price = None
        if first.price_projection is not None:
            self._price = _stacked([_kernel(tower.price_projection) for tower in towers])
        self._position = _stacked([tower.position.position_embeddings for tower in towers])
        self._norm = _Norm([tower.norm for tower in towers])
        self._blocks = [
            _Block(blocks) for blocks in zip(*(tower.blocks for tower in towers), strict=True)
        ]

    def __call__(self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor) -> tf.Tensor:
        """The members' queries, [M, batch, width].

        Args:
            events: as for `EventTower.call`.
            item_vectors: float32 [M, batch, length, width], each member's own.
        """
        x, mask = self._below_last(events, item_vectors)
        return self._blocks[-1](x[:, :, :1], x, mask)[:, :, 0]

    def states(self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor) -> tf.Tensor:
        """Their states of all positions, [M, batch, length, width]; at 0 what a call gives.

        Args:
            events: as for a call.
            item_vectors: as for a call.
        """
        x, mask = self._below_last(events, item_vectors)
        return self._blocks[-1](x, x, mask)

    def _below_last(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What the last block reads, and the mask [1, batch, 1, length] that scores get."""
        x = item_vectors
        for name, table in self._embeddings.items():
            index = tf.cast(events[name], tf.int32)
            known = tf.where((index >= 0) & (index < table.shape[1]), index, 1)
            x += tf.gather(table, known, axis=1)
        if self._price is not None:
            amounts = tf.stack([events[features.PRICE], events[features.QUANTITY]], axis=-1)
            x += tf.reshape(tf.matmul(tf.reshape(amounts, [-1, 2]), self._price), tf.shape(x))
        length = tf.shape(x)[2]
        x = self._norm(x + self._position[:, None, :length])
        visible = (events[features.ITEM] > 0) | (tf.range(length) == 0)[None, :]
        mask = tf.where(visible, 0.0, HIDDEN)[None, :, None, :]
        for block in self._blocks[:-1]:
            x = block(x, x, mask)
        return x, mask


class _Block(tf.Module):
    """One transformer block of every member."""

    def __init__(self, blocks: Sequence[TransformerBlock]) -> None:
        super().__init__()
        merged = [_merged_attention(block) for block in blocks]
        self._width, self._heads = blocks[0].width, blocks[0].heads
        self._towards = _Dense([(kernel, bias) for kernel, bias, _, _ in merged])
        self._mix = _Dense([(kernel, bias) for _, _, kernel, bias in merged])
        self._attention_norm = _Norm([block.attention_norm for block in blocks])
        self._hidden = _Dense([(b.hidden.kernel, b.hidden.bias) for b in blocks], _gelu)
        self._shrink = _Dense([(b.shrink.kernel, b.shrink.bias) for b in blocks])
        self._output_norm = _Norm([block.output_norm for block in blocks])

    def __call__(self, at: tf.Tensor, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """States of some positions.

        Args:
            at: float32 [M, batch, n, width], the inputs of these positions.
            x: float32 [M, batch, length, width], all inputs.
            mask: float32 [1, batch, 1, length].

        Returns:
            float32 [M, batch, n, width].
        """
        shape = tf.shape(at)
        rows = tf.reshape(at, [at.shape[0], -1, self._width])
        # What each head looks for, in the inputs' own space.
        by_head = tf.stack([shape[0], shape[1], shape[2] * self._heads, self._width])
        towards = tf.reshape(self._towards(rows), by_head)
        scores = tf.matmul(towards, x, transpose_b=True)
        mean = tf.matmul(_softmax(scores + mask), x)
        mean = tf.reshape(mean, [at.shape[0], -1, self._heads * self._width])
        rows = self._attention_norm(rows + self._mix(mean))
        rows = self._output_norm(rows + self._shrink(self._hidden(rows)))
        return tf.reshape(rows, shape)


class _Dense(tf.Module):
    """A dense layer of every member, on rows [M, n, width].

    A product a member, since TensorFlow fuses bias and activation into a product of matrices but
    not into a batch of them, which is also slower.
    """

    def __init__(
        self,
        weights: Sequence[tuple[object, object]],
        activation: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
    ) -> None:
        super().__init__()
        self._members = [tuple(map(_variable, pair)) for pair in weights]
        self._activation = activation

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        each = zip(tf.unstack(rows), self._members, strict=True)
        return tf.stack([self._activation(tf.nn.bias_add(x @ k, b)) for x, (k, b) in each])


class _Norm(tf.Module):
    """Layer normalisation of every member, over the last axis of [M, …, width]."""

    def __init__(self, norms: Sequence[keras.layers.LayerNormalization]) -> None:
        super().__init__()
        self._epsilon = norms[0].epsilon
        self._scale = _stacked([norm.gamma for norm in norms], rows=True)
        self._shift = _stacked([norm.beta for norm in norms], rows=True)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        scale, shift = (
            tf.convert_to_tensor(v) if len(x.shape) == 3 else v[:, None]
            for v in (self._scale, self._shift)
        )
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        return centred * tf.math.rsqrt(variance + self._epsilon) * scale + shift


def _softmax(scores: tf.Tensor) -> tf.Tensor:
    """Over the last axis; for few numbers `tf.nn.softmax` takes longer."""
    odds = tf.exp(scores - tf.reduce_max(scores, axis=-1, keepdims=True))
    return odds / tf.reduce_sum(odds, axis=-1, keepdims=True)


def _gelu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=True)


def _merged_attention(block: TransformerBlock) -> tuple[np.ndarray, ...]:
    """The matrices of a block's attention, head by head.

    Returns:
        Inputs to what each head looks for, [width, heads * width] and [heads * width]; and the
        means that heads take to the output, [heads * width, width] and [width]. Attention weights
        sum to one, so the bias of the values is part of the last.
    """
    width, heads = block.width, block.heads

    def by_head(layer: keras.layers.Dense) -> np.ndarray:
        """float64 [heads, width, head width]."""
        return _kernel(layer).reshape(width, heads, -1).transpose(1, 0, 2)

    query, key, value = (by_head(layer) for layer in (block.query, block.key, block.value))
    scale = block.head_width**-0.5
    score = query @ key.transpose(0, 2, 1) * scale
    bias = _array(block.query.bias).reshape(heads, 1, -1)
    score_bias = bias @ key.transpose(0, 2, 1) * scale
    projection = _kernel(block.projection)
    mix = value @ projection.reshape(heads, -1, width)
    mix_bias = _array(block.value.bias) @ projection + _array(block.projection.bias)
    return (
        score.transpose(1, 0, 2).reshape(width, heads * width),
        score_bias.reshape(heads * width),
        mix.reshape(heads * width, width),
        mix_bias,
    )


def _kernel(layer: keras.layers.Dense) -> np.ndarray:
    """A dense layer's matrix, float64; with LoRA, its changes too."""
    return _array(layer.kernel)


def _array(weight: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(weight).astype(np.float64)


def _stacked(weights: Sequence[object], rows: bool = False) -> tf.Variable:
    """A variable [M, …] of the members' weights; vectors as [M, 1, n] with `rows`."""
    stack = np.stack([_array(weight) for weight in weights])
    return _variable(stack[:, None] if rows else stack)


def _variable(weight: object) -> tf.Variable:
    return tf.Variable(_array(weight).astype(np.float32), trainable=False)
