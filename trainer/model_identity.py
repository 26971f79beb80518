"""The identity of a served model: a hash of all that its answers depend on.

It is taken from what is served itself: the graph of every signature, all values that the graphs
read, and the files that are served with them. So a list length or a rule that seen items are left
out counts as much as a weight does, without being listed anywhere. Left out is what carries no
meaning: names and numbers that TensorFlow gives anew in each process, and the requests that warm a
server up. The same training under the same settings has the same identity.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf

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
        for part in _graph_parts(function.graph.as_graph_def()):
            add(part)
        for names in (function.structured_input_signature[1], function.structured_outputs):
            add(repr([(key, *_kind(names[key])) for key in sorted(names)]).encode())
    for value in _values_read(signatures):
        add(f"{value.dtype} {value.shape}".encode())
        add(b"\0".join(value.ravel()) if value.dtype == object else _bytes(value))
    for path in sorted(tf.io.gfile.glob(f"{directory}/assets/*")):
        with tf.io.gfile.GFile(path, "rb") as file:
            add(file.read())
    if tf.io.gfile.exists(f"{directory}/{CATALOGUE_FILE}"):
        add(_rows(f"{directory}/{CATALOGUE_FILE}"))
    return digest.hexdigest()


def _rows(path: str) -> bytes:
    """The rows of a Parquet file as text, in an order of their own: files differ by how they are
    written.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        frame = pl.read_parquet(io.BytesIO(file.read()))
    return frame.select(sorted(frame.columns)).sort(pl.all()).write_csv().encode()


def _kind(tensor: Any) -> tuple[str, str]:
    return tensor.dtype.name, str(tensor.shape)


def _bytes(value: np.ndarray) -> bytes:
    return np.ascontiguousarray(value).tobytes()


def _values_read(signatures: Signatures) -> Iterator[np.ndarray]:
    """Variables and constants that stand outside the graphs, in the order of their first use."""
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


def _graph_parts(graph: Any) -> Iterator[bytes]:
    """A GraphDef and the functions that it calls, without their names.

    Nodes are named by their place, functions by the order in which they are first called.
    """
    library = {function.signature.name: function for function in graph.library.function}
    places: dict[str, int] = {}
    waiting: list[str] = []

    def place(function: str) -> str:
        if function not in places:
            places[function] = len(places)
            waiting.append(function)
        return f"function {places[function]}"

    def node_parts(nodes: Any, arguments: Sequence[str] = ()) -> Iterator[bytes]:
        known = {name: f"argument {i}" for i, name in enumerate(arguments)}
        known |= {node.name: str(i) for i, node in enumerate(nodes)}
        for node in nodes:
            op = place(node.op) if node.op in library else node.op
            yield f"{op} {[_renamed(name, known) for name in node.input]}".encode()
            for key in sorted(node.attr):
                if key.startswith("_") or key in _NAMES_ONLY:
                    continue
                value = node.attr[key]
                called = [value.func] if value.HasField("func") else list(value.list.func)
                if called:
                    yield f"{key} {[place(function.name) for function in called]}".encode()
                else:
                    yield key.encode() + value.SerializeToString(deterministic=True)

    yield from node_parts(graph.node)
    while waiting:
        function = library[waiting.pop(0)]
        arguments = [argument.name for argument in function.signature.input_arg]
        yield from node_parts(function.node_def, arguments)
        known = {node.name: str(i) for i, node in enumerate(function.node_def)}
        known |= {name: f"argument {i}" for i, name in enumerate(arguments)}
        returned = [function.ret[argument.name] for argument in function.signature.output_arg]
        yield repr([_renamed(name, known) for name in returned]).encode()


def _renamed(reference: str, known: Mapping[str, str]) -> str:
    """A reference "^name", "name" or "name:output:0" with another name."""
    mark = "^" if reference.startswith("^") else ""
    name, colon, output = reference.removeprefix("^").partition(":")
    return f"{mark}{known[name]}{colon}{output}"
