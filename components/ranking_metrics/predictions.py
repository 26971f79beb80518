"""What the models said about one example, as TFMA hands it to a metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow_model_analysis import constants, metrics


def output(extracts: dict[str, Any], model_name: str, name: str) -> npt.NDArray[Any]:
    """One output of one model for one example.

    Args:
        extracts: of the example.
        model_name: which model; TFMA keys the outputs by model only where there are several.
        name: of an output of the signature `evaluate`.

    Raises:
        ValueError: the model has no such output.
    """
    outputs = _outputs(extracts, model_name)
    if name not in outputs:
        raise ValueError(
            f"model {model_name!r} has no output {name!r}; its ModelSpec must name the signature "
            "'evaluate', with the outputs rank, recommended and catalogue_size"
        )
    return np.asarray(outputs[name])


def has_output(extracts: dict[str, Any], model_name: str, name: str) -> bool:
    """Whether a model has an output of that name."""
    return name in _outputs(extracts, model_name)


def _outputs(extracts: dict[str, Any], model_name: str) -> dict[str, Any]:
    predictions = extracts[constants.PREDICTIONS_KEY]
    found: dict[str, Any] = predictions.get(model_name, predictions)
    return found


def feature(extracts: dict[str, Any], name: str) -> npt.NDArray[Any]:
    """A feature of the example, empty where the example has none of that name."""
    return np.asarray(extracts[constants.FEATURES_KEY].get(name, ())).ravel()


class RanksPreprocessor(metrics.Preprocessor):
    """Reduces an example to the rank that each model gave its target: a tuple of int.

    Slicing repeats what a preprocessor leaves for every slice, so that is kept small.
    """

    def __init__(self, model_names: Sequence[str]):
        """Keeps the names of the models; the tuples follow their order."""
        super().__init__(name="ranks:" + ",".join(model_names))
        self._model_names = tuple(model_names)

    def process(self, extracts: dict[str, Any]) -> Iterator[tuple[int, ...]]:
        """Yields the ranks; 0 means that the example has no target."""
        yield tuple(int(output(extracts, model, "rank").item()) for model in self._model_names)


class RecommendedPreprocessor(metrics.Preprocessor):
    """Reduces an example to each model's first k recommendations and size of catalogue."""

    def __init__(self, model_names: Sequence[str], k: int):
        """Keeps the names of the models; the tuples follow their order."""
        super().__init__(name=f"recommended@{k}:" + ",".join(model_names))
        self._model_names = tuple(model_names)
        self._k = k

    def process(self, extracts: dict[str, Any]) -> Iterator[tuple[tuple[list[bytes], int], ...]]:
        """Yields the lists, which may be padded with empty strings."""
        yield tuple(
            (
                output(extracts, model, "recommended")[: self._k].tolist(),
                int(output(extracts, model, "catalogue_size").item()),
            )
            for model in self._model_names
        )
