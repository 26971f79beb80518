"""A SavedModel loaded and run through the C API, as TensorFlow Serving's binary does it."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cohortrec_client.serving_messages import config_pb2, meta_graph_pb2
from components.infra_validator.stand_in.c_api import Output, library
from components.infra_validator.stand_in.c_tensors import dtype_of, free, from_c, to_c
from components.infra_validator.stand_in.refusal import Refusal, invalid

SERVE = b"serve"
MAX_ROWS = 16_384
MAX_ELEMENTS = 8 << 20
"""Larger inputs are refused: they would need gigabytes inside the model."""


class SavedModel:
    """A loaded model; its methods may be called from several threads at once."""

    def __init__(self, folder: Path) -> None:
        """Loads the meta graph with the tag "serve".

        Args:
            folder: the SavedModel.

        Raises:
            Refusal: TensorFlow cannot load it, for example because of an op that it does not know.
        """
        tf = library()
        self._graph = tf.TF_NewGraph()
        self._session: int | None = None
        options, description = tf.TF_NewSessionOptions(), tf.TF_NewBuffer()
        try:
            with _checked() as status:
                tags = (ctypes.c_char_p * 1)(SERVE)
                self._session = tf.TF_LoadSessionFromSavedModel(
                    options,
                    None,
                    str(folder).encode(),
                    tags,
                    1,
                    self._graph,
                    description,
                    status,
                )
            meta_graph = meta_graph_pb2.MetaGraphDef.FromString(
                ctypes.string_at(description.contents.data, description.contents.length)
            )
        except Refusal:
            tf.TF_DeleteGraph(self._graph)
            raise
        finally:
            tf.TF_DeleteSessionOptions(options)
            tf.TF_DeleteBuffer(description)
        self.signatures: dict[str, Any] = dict(meta_graph.signature_def)

    def run(
        self,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        timeout: float,
        wanted: Collection[str] = (),
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature: its name; it must exist.
            inputs: an array for each of its inputs, strings as `bytes` objects.
            timeout: seconds after which TensorFlow gives up.
            wanted: names of outputs; all when empty.

        Raises:
            Refusal: the inputs are not those of the signature, or TensorFlow refuses.
        """
        definition = self.signatures[signature]
        _check(definition.inputs, inputs)
        unknown = sorted(set(wanted) - set(definition.outputs))
        if unknown:
            raise invalid(f"output tensor alias not found in signature: {unknown[0]}")
        names = sorted(wanted or definition.outputs)
        fetches = [self._output(definition.outputs[name].name) for name in names]
        feeds = [self._output(definition.inputs[name].name) for name in inputs]
        fed = []
        try:
            for name, values in inputs.items():
                fed.append(to_c(values, definition.inputs[name].dtype))
            found = self._run(feeds, fed, fetches, timeout)
        finally:
            for tensor in fed:
                free(tensor)
        try:
            return {name: from_c(tensor) for name, tensor in zip(names, found, strict=True)}
        finally:
            for tensor in found:
                free(tensor)

    def close(self) -> None:
        """Frees the model; nothing may run any more."""
        tf = library()
        if self._session is not None:
            with _checked() as status:
                tf.TF_DeleteSession(self._session, status)
            tf.TF_DeleteGraph(self._graph)
            self._session = None

    def _run(
        self, feeds: list[Output], fed: list[int], fetches: list[Output], timeout: float
    ) -> list[int]:
        tf = library()
        options = config_pb2.RunOptions(timeout_in_ms=max(1, int(timeout * 1000)))
        text = options.SerializeToString()
        buffer = tf.TF_NewBufferFromString(text, len(text))
        fed_places = (Output * len(feeds))(*feeds)
        fed_tensors = (ctypes.c_void_p * len(fed))(*fed)
        fetched_places = (Output * len(fetches))(*fetches)
        found = (ctypes.c_void_p * len(fetches))()
        try:
            with _checked() as status:
                tf.TF_SessionRun(
                    self._session,
                    buffer,
                    fed_places,
                    fed_tensors,
                    len(fed),
                    fetched_places,
                    found,
                    len(fetches),
                    None,
                    0,
                    None,
                    status,
                )
        finally:
            tf.TF_DeleteBuffer(buffer)
        return [int(tensor) for tensor in found if tensor]

    def _output(self, name: str) -> Output:
        """The place in the graph that a tensor's name ("operation:0") stands for."""
        operation, _, index = name.partition(":")
        found = library().TF_GraphOperationByName(self._graph, operation.encode())
        if not found:
            raise invalid(f"the graph has no operation {operation!r}")
        return Output(found, int(index or 0))


@contextmanager
def _checked() -> Iterator[int]:
    """A status for one call; what it holds afterwards is raised unless it is OK."""
    tf = library()
    status = tf.TF_NewStatus()
    try:
        yield status
        code = tf.TF_GetCode(status)
        if code:
            raise Refusal.of_number(code, tf.TF_Message(status).decode("utf-8", "replace"))
    finally:
        tf.TF_DeleteStatus(status)


def _check(expected: Mapping[str, Any], inputs: Mapping[str, np.ndarray]) -> None:
    """Names, types, ranks and sizes, before anything reaches the C library."""
    if set(inputs) != set(expected):
        raise invalid(
            f"input names do not match the signature: got {sorted(inputs)}, "
            f"expected {sorted(expected)}"
        )
    for name, values in inputs.items():
        info = expected[name]
        if values.dtype != dtype_of(info.dtype):
            raise invalid(f"input {name!r} is of another type than the signature's")
        dims = info.tensor_shape.dim
        known = not info.tensor_shape.unknown_rank
        if known and (
            values.ndim != len(dims)
            or any(dim.size not in (-1, size) for dim, size in zip(dims, values.shape, strict=True))
        ):
            raise invalid(
                f"input {name!r} has the shape {list(values.shape)}, expected "
                f"{[dim.size for dim in dims]} (-1: any size)"
            )
        if (values.ndim and values.shape[0] > MAX_ROWS) or values.size > MAX_ELEMENTS:
            raise invalid(
                f"input {name!r} of shape {list(values.shape)} is larger than the stand-in model "
                f"server takes: {MAX_ROWS:,} rows and {MAX_ELEMENTS:,} values"
            )
