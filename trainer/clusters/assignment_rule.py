"""What every rule that assigns points to clusters can do, in NumPy and in a TensorFlow graph.

A clustering algorithm only labels the points it was fitted on. A rule goes on from there: it says
where any point belongs, with the same arithmetic while training and in an exported graph. There
are two: `trainer.clusters.nearest_prototype` and `trainer.clusters.gaussian_posterior`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf


class AssignmentRule(abc.ABC):
    """Assigns points of the space in which clusters were found
    (`trainer.clusters.embedding_space`).
    """

    kind: ClassVar[str]
    """Name of the rule in a cluster model."""

    @property
    @abc.abstractmethod
    def clusters(self) -> int:
        """K, the number of clusters."""

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """Width of the points."""

    @abc.abstractmethod
    def assign(self, points: np.ndarray) -> np.ndarray:
        """The cluster of each point.

        Args:
            points: float32 [n, dim].

        Returns:
            int64 [n], in [0, K), or `trainer.raw_history.NOISE`.
        """

    @abc.abstractmethod
    def membership(self, points: np.ndarray) -> np.ndarray:
        """How far each point belongs to each cluster.

        Args:
            points: float32 [n, dim].

        Returns:
            float32 [n, K]. A row sums to one, or to zero if the point is noise. The largest entry
            is that of the assigned cluster.
        """

    @abc.abstractmethod
    def in_graph(self, points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """`assign` and `membership` with ops that stock TensorFlow Serving has.

        Args:
            points: float32 [batch, dim].

        Returns:
            int64 [batch] and float32 [batch, K].
        """

    @abc.abstractmethod
    def reordered(self, order: Sequence[int]) -> AssignmentRule:
        """The rule with new numbers: cluster i is the old `order[i]`. Others are dropped."""

    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON."""

    @abc.abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""

    @classmethod
    @abc.abstractmethod
    def from_parts(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> AssignmentRule:
        """Inverse of `settings` and `arrays`; other names in these are ignored.

        Raises:
            KeyError: a part is missing.
            ValueError: the parts do not fit together.
        """


def require_array(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Checks an array of a stored rule.

    Args:
        name: for the message.
        array: what to check.
        shape: expected; None stands for any size but zero.

    Raises:
        ValueError: the shape is another one, or a value is not finite.
    """
    fits = array.ndim == len(shape) and all(
        size > 0 if wanted is None else size == wanted
        for size, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = tuple("*" if size is None else size for size in shape)
        raise ValueError(f"array {name!r} has the shape {array.shape}, not {wanted}")
    if not np.isfinite(array).all():
        raise ValueError(f"array {name!r} has values that are not finite")
