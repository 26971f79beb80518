"""TensorFlow graphs of our functions, traced as they are written.

AutoGraph would first rewrite each function and all that it calls, so that Python's `if` and `for`
may depend on tensors. Those that come here never do. The rewriting took a tenth of a small run. A
function that does depend on a tensor fails when it is traced, and TensorFlow says so.
"""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

graph_function = functools.partial(tf.function, autograph=False)
"""`tf.function`, without AutoGraph."""


def traced_as_is(function: Any) -> Any:
    """A function for `tf.data.Dataset.map`, which has no switch for AutoGraph."""
    return tf.autograph.experimental.do_not_convert(function)
