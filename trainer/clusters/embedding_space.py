"""The space in which clusters were found: length one, perhaps fewer dimensions.

What is done to an embedding before it is clustered is a part of the rule that assigns users, so it
is stored with the clusters and repeated in the exported graph.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.clusters.assignment_rule import require_array

_SMALLEST_NORM = 1e-12


@dataclasses.dataclass(frozen=True)
class EmbeddingSpace:
    """Brings embeddings into the space of the clusters.

    Attributes:
        normalize: scale each embedding to length one; a zero vector stays zero.
        mean: float32 [dim], of the normalised embeddings that the components were fitted on; None
            without principal components.
        components: float32 [parts, dim], the principal components; None to keep all dimensions.
        variance: share of the variance that the components keep, for the reader; None without.

    Example:
        >>> points = EmbeddingSpace(normalize=True).points(np.array([[3.0, 4.0]]))
        >>> points.astype(float).round(2).tolist()
        [[0.6, 0.8]]
    """

    normalize: bool
    mean: np.ndarray | None = None
    components: np.ndarray | None = None
    variance: float | None = None

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.components is None):
            raise ValueError("'pca_mean' and 'pca_components' go together")
        if self.mean is not None and self.components is not None:
            require_array("pca_mean", self.mean, (None,))
            require_array("pca_components", self.components, (None, len(self.mean)))

    def points(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings [n, dim] as points of the space, float32 [n, parts or dim]."""
        points = np.asarray(embeddings, dtype=np.float32)
        if self.normalize:
            norms = np.linalg.norm(points, axis=1, keepdims=True)
            points = points / np.maximum(norms, _SMALLEST_NORM)
        if self.mean is not None and self.components is not None:
            points = (points - self.mean) @ self.components.T
        return points

    def in_graph(self, embeddings: tf.Tensor) -> tf.Tensor:
        """`points` with TensorFlow ops.

        Args:
            embeddings: [batch, dim], any float type.
        """
        points = tf.cast(embeddings, tf.float32)
        if self.normalize:
            norms = tf.norm(points, axis=1, keepdims=True)
            points = points / tf.maximum(norms, _SMALLEST_NORM)
        if self.mean is not None and self.components is not None:
            components = tf.constant(self.components, tf.float32)
            points = tf.matmul(points - tf.constant(self.mean), components, transpose_b=True)
        return points

    def settings(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON."""
        pca = None
        if self.components is not None:
            pca = {"components": len(self.components), "variance": self.variance}
        return {"normalize": self.normalize, "pca": pca}

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        if self.mean is None or self.components is None:
            return {}
        return {"pca_mean": self.mean, "pca_components": self.components}

    @classmethod
    def from_parts(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> EmbeddingSpace:
        """Inverse of `settings` and `arrays`; other names in these are ignored.

        Raises:
            KeyError: a part is missing.
            ValueError: the parts do not fit together.
        """
        pca = settings["pca"]
        if pca is None:
            return cls(bool(settings["normalize"]))
        return cls(
            bool(settings["normalize"]),
            arrays["pca_mean"],
            arrays["pca_components"],
            pca["variance"],
        )
