"""A SavedModel in this process, behind the same interface as a served one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cohortrec_client.errors import InvalidRequest, SignatureNotFound
from cohortrec_client.recommendations import OUTPUTS
from cohortrec_client.tensor import Tensor
from cohortrec_client.transport import VersionStatus
from tfx_pipeline.paths.inputs import InputError, pattern_characters


class LocalModel:
    """The way to a model that TensorFlow loads here (a `cohortrec_client` Transport)."""

    def __init__(self, model: Path) -> None:
        """Loads a model.

        Args:
            model: folder of the SavedModel.

        Raises:
            InputError: TensorFlow cannot load it, or would take the folder's path for a pattern.
        """
        if patterns := pattern_characters(str(model)):
            raise InputError(
                f"cannot load the model at {str(model)!r}: TensorFlow reads {patterns} in a path "
                "as a pattern of file names; give it a path without, for example by a link"
            )
        import tensorflow as tf

        # Kept beside the signatures: they hold no reference to the model's variables.
        try:
            self._model: Any = tf.saved_model.load(str(model))
        # A damaged model may raise anything.
        except Exception as error:
            why = str(error) or type(error).__name__
            raise InputError(
                f"the model at {str(model)!r} cannot be loaded: {why.splitlines()[0]}"
            ) from error
        self._signatures: Any = self._model.signatures
        self._folder = model

    def predict(
        self, signature: str, inputs: Mapping[str, Tensor], timeout: float
    ) -> dict[str, Tensor]:
        """Runs a signature; no time limit is kept."""
        import tensorflow as tf

        if signature not in self._signatures:
            raise SignatureNotFound(
                f"the model at {str(self._folder)!r} has no signature {signature!r}"
            )
        constants = {
            name: tf.constant(tensor.values, tensor.dtype, tensor.shape)
            for name, tensor in inputs.items()
        }
        try:
            answer = self._signatures[signature](**constants)
        except tf.errors.InvalidArgumentError as error:
            raise InvalidRequest(error.message) from None
        return {name: _tensor(name, value.numpy()) for name, value in answer.items()}

    def status(self, timeout: float) -> list[VersionStatus]:
        """The one version that is loaded; 0 where its folder is not numbered."""
        name = self._folder.name
        return [VersionStatus(int(name) if name.isdecimal() else 0, "AVAILABLE", "")]

    def close(self) -> None:
        """Frees the model."""
        self._model = self._signatures = None


def _tensor(name: str, values: Any) -> Tensor:
    dtype = OUTPUTS[name][0] if name in OUTPUTS else "float32"
    return Tensor(dtype, values.shape, values.ravel().tolist())  # type: ignore[arg-type]
