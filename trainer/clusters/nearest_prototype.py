"""The nearest prototype decides, perhaps within a radius.

One prototype a cluster is the nearest-centroid rule of k-means. Several of them (learning vector
quantization, Kohonen 1995, ch. 6) follow clusters that are no balls. With a radius, a point too
far from the nearest prototype is noise: with the core points as prototypes and eps as radius that
is DBSCAN's own rule (Ester et al. 1996, "density-reachable").
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.clusters.assignment_rule import AssignmentRule, require_array
from trainer.raw_history import NOISE

# Keeps softmax(-distance / temperature) defined where all points of a cluster coincide.
_LOWEST_TEMPERATURE = 1e-6
_DISTANCES_AT_ONCE = 16_000_000


@dataclasses.dataclass(frozen=True)
class NearestPrototype(AssignmentRule):
    """A point belongs to the cluster of its nearest prototype; ties go to the lower number.

    Soft membership is softmax(-d_k² / temperature), d_k being the distance to the nearest
    prototype of cluster k.

    Attributes:
        prototypes: float32 [P, dim].
        owners: int64 [P], the cluster of each prototype: rising from 0, every cluster there.
        temperature: > 0, a squared distance.
        radii: float32 [K], >= 0: the point is noise if it is further than this from the nearest
            prototype, by the cluster of that prototype. None: no point is noise.

    Example:
        >>> groups = [np.array([[0.0, 0.0]]), np.array([[4.0, 0.0]])]
        >>> rule = NearestPrototype.of_groups(groups, temperature=4.0)
        >>> points = np.array([[1.0, 0.0], [2.0, 0.0], [5.0, 0.0]], np.float32)
        >>> rule.assign(points).tolist()
        [0, 0, 1]
        >>> rule.membership(points).round(2).tolist()[1]
        [0.5, 0.5]
        >>> near = NearestPrototype.of_groups(groups, 4.0, radii=np.array([1.5, 1.5]))
        >>> near.assign(points).tolist()
        [0, -1, 1]
    """

    kind = "nearest_prototype"

    prototypes: np.ndarray
    owners: np.ndarray
    temperature: float
    radii: np.ndarray | None = None

    def __post_init__(self) -> None:
        require_array("prototypes", self.prototypes, (None, None))
        require_array("owners", self.owners, (len(self.prototypes),))
        steps = np.diff(self.owners, prepend=0)
        rising = self.owners[0] == 0 and np.isin(steps, (0, 1)).all()
        if self.owners.dtype.kind != "i" or not rising:
            raise ValueError("array 'owners' does not rise from 0 in steps of one")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"'temperature' is {self.temperature}, not above zero")
        if self.radii is not None:
            require_array("radii", self.radii, (self.clusters,))
            if (self.radii < 0).any():
                raise ValueError("array 'radii' has negative values")

    @classmethod
    def of_groups(
        cls,
        groups: Sequence[np.ndarray],
        temperature: float,
        radii: np.ndarray | None = None,
    ) -> NearestPrototype:
        """The rule with the prototypes of each cluster, float [P_k, dim]."""
        return cls(
            np.concatenate(groups).astype(np.float32),
            np.repeat(np.arange(len(groups)), [len(group) for group in groups]),
            max(float(temperature), _LOWEST_TEMPERATURE),
            None if radii is None else np.asarray(radii, np.float32),
        )

    @classmethod
    def fitted(cls, groups: Sequence[np.ndarray], points: np.ndarray) -> NearestPrototype:
        """A rule without radii whose temperature is the points' mean squared distance to it.

        Args:
            groups: prototypes of each cluster.
            points: float32 [n, dim], n >= 1.
        """
        distances = cls.of_groups(groups, 1.0).squared_distances(points).min(axis=1)
        return cls.of_groups(groups, float(distances.mean(dtype=np.float64)))

    @property
    def clusters(self) -> int:
        """K, the number of clusters."""
        return int(self.owners[-1]) + 1

    @property
    def dim(self) -> int:
        """Width of the points."""
        return self.prototypes.shape[1]

    @property
    def _origin(self) -> np.ndarray:
        """Where distances are computed from, float32 [dim].

        |x - p|² is computed as |x|² - 2 x·p + |p|², which loses digits where the prototypes lie
        close together and far from zero.
        """
        return self.prototypes.mean(axis=0)

    def squared_distances(self, points: np.ndarray) -> np.ndarray:
        """Squared Euclidean distances, float32 [n, K], to the nearest prototype of each cluster.

        At most 64 MB of distances to single prototypes are held at once.
        """
        result = np.empty((len(points), self.clusters), np.float32)
        prototypes = self.prototypes - self._origin
        squares = np.sum(prototypes**2, axis=1)
        first = np.searchsorted(self.owners, np.arange(self.clusters))
        step = max(1, _DISTANCES_AT_ONCE // len(prototypes))
        for start in range(0, len(points), step):
            part = points[start : start + step] - self._origin
            distances = (
                np.sum(part**2, axis=1, keepdims=True) - 2.0 * (part @ prototypes.T) + squares
            )
            nearest = np.minimum.reduceat(distances, first, axis=1)
            result[start : start + step] = np.maximum(nearest, 0.0)
        return result

    def assign(self, points: np.ndarray) -> np.ndarray:
        """See the base class."""
        return self._nearest(self.squared_distances(points))

    def membership(self, points: np.ndarray) -> np.ndarray:
        """See the base class."""
        squares = self.squared_distances(points)
        logits = -squares / np.float32(self.temperature)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[self._nearest(squares) == NOISE] = 0.0
        return shares

    def in_graph(self, points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See the base class."""
        prototypes = tf.constant(self.prototypes - self._origin, tf.float32)
        points = points - tf.constant(self._origin)
        squares = (
            tf.reduce_sum(points**2, axis=1, keepdims=True)
            - 2.0 * tf.matmul(points, prototypes, transpose_b=True)
            + tf.reduce_sum(prototypes**2, axis=1)
        )
        if len(self.owners) > self.clusters:
            by_prototype = tf.transpose(squares)
            squares = tf.transpose(tf.math.segment_min(by_prototype, tf.constant(self.owners)))
        squares = tf.maximum(squares, 0.0)
        cluster = tf.argmin(squares, axis=1, output_type=tf.int64)
        shares = tf.nn.softmax(-squares / self.temperature, axis=1)
        if self.radii is None:
            return cluster, shares
        limits = tf.gather(tf.constant(self.radii**2, tf.float32), cluster)
        inside = tf.reduce_min(squares, axis=1) <= limits
        noise = tf.constant(NOISE, tf.int64)
        return tf.where(inside, cluster, noise), tf.where(inside[:, None], shares, 0.0)

    def reordered(self, order: Sequence[int]) -> NearestPrototype:
        """See the base class."""
        groups = [self.prototypes[self.owners == k] for k in order]
        radii = None if self.radii is None else self.radii[list(order)]
        return self.of_groups(groups, self.temperature, radii)

    def settings(self) -> dict[str, Any]:
        """See the base class."""
        return {"temperature": self.temperature}

    def arrays(self) -> dict[str, np.ndarray]:
        """See the base class."""
        arrays = {"prototypes": self.prototypes, "owners": self.owners}
        return arrays if self.radii is None else {**arrays, "radii": self.radii}

    @classmethod
    def from_parts(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> NearestPrototype:
        """See the base class."""
        return cls(
            arrays["prototypes"],
            arrays["owners"],
            float(settings["temperature"]),
            arrays.get("radii"),
        )

    def _nearest(self, squares: np.ndarray) -> np.ndarray:
        """The nearest cluster, or `NOISE`, of squared distances [n, K]."""
        cluster = np.argmin(squares, axis=1).astype(np.int64)
        if self.radii is None:
            return cluster
        outside = squares.min(axis=1) > (self.radii**2).astype(np.float32)[cluster]
        return np.where(outside, NOISE, cluster)
