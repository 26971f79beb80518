"""Requests that nobody means well: each gets an answer or an error, in bounded time and memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

Request = tuple[str, str, dict[str, Any]]
"""Name, signature and inputs."""


def requests(known: list[str]) -> Iterator[Request]:
    """The requests; `known` are some ids of the catalogue."""

    def recommend(name: str, ids: list[list[Any]], times: list[list[int]]) -> Request:
        shape = (len(ids), len(ids[0]) if ids else 0)
        actions = [["purchase"] * len(row) for row in ids]
        inputs = {
            "item_ids": tf.constant(ids, tf.string, shape),
            "actions": tf.constant(actions, tf.string, shape),
            "timestamps": tf.constant(times, tf.int64, shape),
        }
        return name, "recommend", inputs

    def example(name: str, records: list[bytes]) -> Request:
        return name, "serving_default", {"examples": tf.constant(records, tf.string)}

    long = [known[i % len(known)] for i in range(100_000)]
    yield recommend("empty batch", [], [])
    yield example("empty batch of examples", [])
    yield recommend("100,000 events", [long], [list(range(100_000))])
    yield recommend("invalid UTF-8", [[b"\xff\xfe\x00", b"\xc3("]], [[1, 2]])
    yield recommend("10,000 unknown items", [[f"?{i}" for i in range(10_000)]], [[0] * 10_000])
    yield recommend("extreme times", [known[:2]], [[-(2**63), 2**63 - 1]])
    yield recommend("an id of a megabyte", [["x" * 2**20]], [[0]])
    yield example("NaN as a time", [_example(item_ids=known[:1], timestamps=[float("nan")])])
    yield example("NaN as a price", [_example(item_ids=known[:1], prices=[float("nan")])])
    yield example("no example at all", [b"\xff\xff\xff\xff"])
    yield example("an empty example", [b""])
    yield example("lists of unequal length", [_example(item_ids=known[:3], timestamps=[1])])


def _example(**values: list[Any]) -> bytes:
    features = {}
    for name, value in values.items():
        if isinstance(value[0], str):
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=map(str.encode, value)))
        elif isinstance(value[0], float):
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=value))
        else:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        features[name] = feature
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def ask_all(signatures: dict[str, Callable[..., Any]], known: list[str]) -> list[dict[str, Any]]:
    """Sends every request once.

    Returns:
        For each its name, the outcome, seconds, and by how many MB the peak memory of this process
        rose.
    """
    results = []
    for name, signature, inputs in requests(known):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        try:
            answer = signatures[signature](**inputs)
            finite = bool(tf.reduce_all(tf.math.is_finite(answer["scores"])))
            rows, k = answer["item_ids"].shape
            outcome = f"{rows} lists of {k}" + ("" if finite else ", scores not finite")
        except tf.errors.OpError as error:
            outcome = f"{type(error).__name__}: {error.message.splitlines()[0][:80]}"
        except UnicodeDecodeError as error:
            # Python cannot show TensorFlow's message, which quotes the request.
            outcome = f"an error: {error.object[:40]!r}"
        seconds = time.perf_counter() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        results.append(
            {"request": name, "outcome": outcome, "seconds": seconds, "memory_mb": grown}
        )
    return results
