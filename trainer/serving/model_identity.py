"""The identity of a served model: a hash of all that its answers depend on.

It is taken from what is served itself: the graph of every signature, all values that the graphs
read, and the files that are served with them. So a list length or a rule that seen items are left
out counts as much as a weight does, without being listed anywhere. Left out is what carries no
meaning: names, numbers and an order that TensorFlow gives anew in each process, and the requests
that warm a server up. The same training under the same settings has the same identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf

from trainer.uri_files import read_bytes, read_json, read_parquet

MODEL_FILE = "assets.extra/model.json"
CATALOGUE_FILE = "assets.extra/items.parquet"

Signatures = Mapping[str, Any]
"""Name to concrete function."""

_NAMES_ONLY = frozenset({"shared_name", "container", "config_proto", "executor_type"})


def model_identity(signatures: Signatures, directory: str) -> str:
    """Hash of a model.

    Args:
        signatures: the functions that are served.
        directory: the SavedModel. Its vocabularies and its catalogue count; the graph and the
            variables are taken from the functions, since files of them differ from run to run.
    """
    digest = hashlib.blake2b(digest_size=16)

    def add(content: bytes) -> None:
        # With its length, so that no two sequences of parts look alike.
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)

    for name in sorted(signatures):
        function = signatures[name]
        add(name.encode())
        for part in sorted(_graph_parts(function.graph.as_graph_def())):
            add(part)
        for names in (function.structured_input_signature[1], function.structured_outputs):
            add(repr([(key, *_kind(names[key])) for key in sorted(names)]).encode())
    for part in sorted(map(_value_part, _values_read(signatures))):
        add(part)
    for path in sorted(tf.io.gfile.glob(f"{directory}/assets/*")):
        add(read_bytes(path))
    if tf.io.gfile.exists(f"{directory}/{CATALOGUE_FILE}"):
        add(_rows(f"{directory}/{CATALOGUE_FILE}"))
    return digest.hexdigest()


def stated_identity(directory: str) -> str:
    """The identity that a SavedModel was exported with; "" where it was exported by others.

    Args:
        directory: the SavedModel, a path or URI.
    """
    path = f"{directory}/{MODEL_FILE}"
    if not tf.io.gfile.exists(path):
        return ""
    try:
        return str(read_json(path)["id"])
    except (ValueError, KeyError, TypeError):
        return ""


def _rows(path: str) -> bytes:
    """The rows of a Parquet file as text, in an order of their own: files differ by how they are
    written.
    """
    frame = read_parquet(path)
    return frame.select(sorted(frame.columns)).sort(pl.all()).write_csv().encode()


def _kind(tensor: Any) -> tuple[str, str]:
    return tensor.dtype.name, str(tensor.shape)


def _values_read(signatures: Signatures) -> Iterator[np.ndarray]:
    """Variables and constants that stand outside the graphs, each once."""
    seen: set[int] = set()
    for name in sorted(signatures):
        graph = signatures[name].graph
        variables = {id(variable.handle): variable for variable in graph.variables}
        for outside, _ in graph.captures:
            if id(outside) in seen:
                continue
            seen.add(id(outside))
            if id(outside) in variables:
                yield variables[id(outside)].numpy()
            elif outside.dtype != tf.resource:
                yield np.asarray(outside.numpy())


def _value_part(value: np.ndarray) -> bytes:
    content = b"\0".join(value.ravel()) if value.dtype == object else value.tobytes()
    return f"{value.dtype} {value.shape} ".encode() + content


def _graph_parts(graph: Any) -> Iterator[bytes]:
    """The nodes of a GraphDef and of the functions that it has: operation and attributes.

    Which node feeds which is left out with the names: TensorFlow Transform orders its part of the
    graph anew in each process.
    """
    functions = {function.signature.name for function in graph.library.function}
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        for node in nodes:
            parts = ["call" if node.op in functions else node.op, str(len(node.input))]
            for key in sorted(node.attr):
                value = node.attr[key]
                called = value.HasField("func") or value.list.func
                if not (key.startswith("_") or key in _NAMES_ONLY or called):
                    parts += [key, value.SerializeToString(deterministic=True).hex()]
            yield " ".join(parts).encode()
