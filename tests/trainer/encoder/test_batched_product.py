"""Both kernels multiply alike."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.encoder.batched_product import few_rows_product, product


@pytest.mark.parametrize("transpose_b", [False, True])
def test_products_are_those_of_numpy(transpose_b):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    b = rng.normal(size=(2, 3, 5, 6)).astype(np.float32)
    given = b.swapaxes(2, 3) if transpose_b else b
    expected = pytest.approx(a @ b, abs=1e-5)
    assert few_rows_product(a, given, transpose_b).numpy() == expected
    compiled = tf.function(product)
    for small in (True, False):
        got = compiled(tf.constant(a), tf.constant(given), tf.constant(small), transpose_b)
        assert got.shape == (2, 3, 4, 6)
        assert got.numpy() == expected
