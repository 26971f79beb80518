"""The fast block computes what a plain one does; byte dropout drops what it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from trainer.encoder.dropout import ByteDropout
from trainer.encoder.transformer_block import TransformerBlock


@pytest.fixture
def block():
    keras.utils.set_random_seed(4)
    block = TransformerBlock(8, 2, 12, dropout=0.3, initializer_stddev=0.5)
    block.build()
    rng = np.random.default_rng(4)
    for weight in block.trainable_variables:
        # Zero biases and unit gains would hide mistakes.
        weight.assign(weight.numpy() + rng.normal(0, 0.3, weight.shape))
    return block


@pytest.fixture
def windows():
    rng = np.random.default_rng(5)
    lengths = np.array([1, 3, 5])
    visible = np.arange(5)[None, :] < lengths[:, None]
    return tf.constant(rng.normal(0, 1, (3, 5, 8)), tf.float32), tf.constant(visible)


def reference(block, x, visible):
    """The same block written out for one row and one head at a time."""

    def normalise(rows, layer):
        mean, variance = rows.mean(-1, keepdims=True), rows.var(-1, keepdims=True)
        return (rows - mean) / np.sqrt(variance) * layer.gamma.numpy() + layer.beta.numpy()

    def dense(rows, layer):
        return rows @ layer.kernel.numpy() + (layer.bias.numpy() if layer.use_bias else 0.0)

    out = []
    for row, seen in zip(x.numpy(), visible.numpy(), strict=True):
        q, k, v = (dense(row, layer) for layer in (block.query, block.key, block.value))
        heads = []
        for h in (slice(0, 4), slice(4, 8)):
            scores = np.where(seen[None, :], q[:, h] @ k[:, h].T / 2.0, -np.inf)
            heads.append(softmax(scores, axis=1) @ v[:, h])
        state = normalise(
            row + dense(np.concatenate(heads, 1), block.projection), block.attention_norm
        )
        hidden = dense(state, block.hidden)
        cubic = np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)
        shrunk = dense(0.5 * hidden * (1 + np.tanh(cubic)), block.shrink)
        out.append(normalise(state + shrunk, block.output_norm))
    return np.stack(out)


def test_states_are_those_of_the_block_written_out(block, windows):
    np.testing.assert_allclose(
        block(*windows).numpy(), reference(block, *windows), rtol=1e-4, atol=1e-4
    )


def test_newest_is_the_state_of_position_0(block, windows):
    np.testing.assert_allclose(
        block.newest(*windows).numpy(), block(*windows).numpy()[:, 0], rtol=1e-4, atol=1e-4
    )


def test_newest_is_the_state_of_position_0_with_lora(block, windows):
    before = block.newest(*windows).numpy()
    for layer in (block.query, block.key, block.value):
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(np.full(layer.lora_kernel_b.shape, 0.4, np.float32))
    after = block.newest(*windows).numpy()
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, block(*windows).numpy()[:, 0], rtol=1e-4, atol=1e-4)


def test_hidden_places_change_nothing(block, windows):
    x, visible = windows
    other = tf.where(visible[:, :, None], x, x + 7.0)
    np.testing.assert_allclose(
        block.newest(other, visible).numpy(), block.newest(x, visible).numpy(), atol=1e-5
    )


def test_dropout_drops_its_share_and_keeps_the_mean():
    keras.utils.set_random_seed(6)
    layer = ByteDropout(0.25)
    x = tf.ones([300, 401])
    first, second = layer(x, training=True).numpy(), layer(x, training=True).numpy()
    assert (first == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert first.mean() == pytest.approx(1.0, abs=0.01)
    assert set(np.unique(first)) == {0.0, np.float32(256 / 192)}
    assert (first != second).any()
    # Bytes of one random word must not repeat along a row.
    assert abs(np.corrcoef(first[:, :-1].ravel(), first[:, 1:].ravel())[0, 1]) < 0.02
    np.testing.assert_array_equal(layer(x, training=False), x)
