"""TensorFlow graphs of our functions, traced as they are written.

AutoGraph would first rewrite each function and all that it calls, so that Python's `if` and `for`
may depend on tensors. Those that come here never do. The rewriting took a tenth of a small run. A
function that does depend on a tensor fails when it is traced, and TensorFlow says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

graph_function = functools.partial(tf.function, autograph=False)
"""`tf.function`, without AutoGraph."""


def graph_of_any_rows(function: Callable[..., Any]) -> Callable[..., Any]:
    """`graph_function` that is traced once, at the first call, for any number of rows.

    TensorFlow would trace it for the first call's number, and once more, for any, when another
    number comes: the last batch of a split has fewer rows.

    Args:
        function: of tensors, or dicts and tuples of them; their first dimension is left open.
    """
    traced: list[Callable[..., Any]] = []

    def call(*tensors: Any) -> Any:
        if not traced:
            signature = tf.nest.map_structure(_of_any_rows, tensors)
            traced.append(graph_function(function, input_signature=signature))
        return traced[0](*tensors)

    return call


def _of_any_rows(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tensor.shape[1:]] if tensor.shape.rank else [], tensor.dtype)


def traced_as_is(function: Any) -> Any:
    """A function for `tf.data.Dataset.map`, which has no switch for AutoGraph."""
    return tf.autograph.experimental.do_not_convert(function)
