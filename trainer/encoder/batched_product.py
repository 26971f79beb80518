"""Products of many small matrices, with the faster one of TensorFlow's two kernels.

oneDNN's takes 40 to 70 µs to start, most of the time of a request of one history. Eigen's starts at
once, but is slower on large matrices (`docs/journal/performance.md`).
"""

from __future__ import annotations

import tensorflow as tf


def few_rows_product(a: tf.Tensor, b: tf.Tensor, transpose_b: bool = False) -> tf.Tensor:
    """`tf.matmul` for `a` with few rows and any `b`; with many rows it is far slower.

    Args:
        a: float32 […, n, k].
        b: float32 […, k, m], or […, m, k] with `transpose_b`; the leading axes are a's.
        transpose_b: whether b is transposed first.
    """
    return tf.raw_ops.BatchMatMulV3(x=a, y=b, Tout=tf.float32, adj_y=transpose_b)


def product(a: tf.Tensor, b: tf.Tensor, small: tf.Tensor, transpose_b: bool = False) -> tf.Tensor:
    """`tf.matmul` for matrices that may be small.

    Args:
        a: float32 […, n, k].
        b: float32 […, k, m], or […, m, k] with `transpose_b`; the leading axes are a's.
        small: bool [], whether the matrices are small.
        transpose_b: whether b is transposed first.
    """
    return tf.cond(
        small,
        lambda: few_rows_product(a, b, transpose_b),
        lambda: tf.matmul(a, b, transpose_b=transpose_b),
    )
