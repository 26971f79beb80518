"""The posterior of a Gaussian mixture decides.

p(k | x) is proportional to w_k N(x; mu_k, Sigma_k) (Bishop 2006, eq. 9.13). The inverse covariance
is kept as a factor L with L L' = Sigma^-1, so that log N(x; mu, Sigma) is
log det L - ||(x - mu) L||² / 2 up to a constant, without an inversion when serving.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.clusters.assignment_rule import AssignmentRule, require_array


@dataclasses.dataclass(frozen=True)
class GaussianPosterior(AssignmentRule):
    """A point belongs to the component of the highest posterior; membership is the posterior.

    No point is noise.

    Attributes:
        means: float32 [K, dim].
        factors: float32 [K, dim], the square roots of the precisions if covariances are diagonal;
            else [K, dim, dim], triangular.
        log_weights: float32 [K], of the components.

    Example:
        >>> means, factors = np.array([[0.0], [4.0]]), np.ones((2, 1))
        >>> rule = GaussianPosterior(means, factors, np.log([0.5, 0.5]))
        >>> rule.assign(np.array([[1.0], [3.5]])).tolist()
        [0, 1]
        >>> rule.membership(np.array([[2.0]])).round(2).tolist()
        [[0.5, 0.5]]
    """

    kind = "gaussian_posterior"

    means: np.ndarray
    factors: np.ndarray
    log_weights: np.ndarray

    def __post_init__(self) -> None:
        require_array("means", self.means, (None, None))
        shape: tuple[int, ...] = self.means.shape
        if self.factors.ndim == 3:
            shape = (*shape, shape[1])
        require_array("factors", self.factors, shape)
        require_array("log_weights", self.log_weights, (len(self.means),))
        if (self._scales <= 0).any():
            raise ValueError("array 'factors' has a precision that is not above zero")

    @property
    def clusters(self) -> int:
        """K, the number of clusters."""
        return len(self.means)

    @property
    def dim(self) -> int:
        """Width of the points."""
        return self.means.shape[1]

    @property
    def _scales(self) -> np.ndarray:
        """[K, dim], the diagonals of the factors, whose product is det L."""
        if self.factors.ndim == 2:
            return self.factors
        return np.diagonal(self.factors, axis1=1, axis2=2)

    @property
    def _offsets(self) -> np.ndarray:
        """Log w_k + log det L_k, float32 [K]."""
        determinants = np.log(self._scales.astype(np.float64)).sum(axis=1)
        return (self.log_weights + determinants).astype(np.float32)

    def _log_joint(self, points: np.ndarray) -> np.ndarray:
        """Log of w_k N(x; mu_k, Sigma_k) up to a constant, float32 [n, K]."""
        squares = np.empty((len(points), self.clusters), np.float32)
        # One component at a time: [n, dim] of memory whatever K is.
        for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            residual = points - mean
            scaled = residual * factor if factor.ndim == 1 else residual @ factor
            squares[:, k] = np.sum(scaled**2, axis=1)
        return self._offsets - 0.5 * squares

    def assign(self, points: np.ndarray) -> np.ndarray:
        """See the base class."""
        return np.argmax(self._log_joint(points), axis=1).astype(np.int64)

    def membership(self, points: np.ndarray) -> np.ndarray:
        """See the base class."""
        joint = self._log_joint(points)
        shares = np.exp(joint - joint.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def in_graph(self, points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See the base class."""
        residual = points[:, None, :] - tf.constant(self.means, tf.float32)
        factors = tf.constant(self.factors, tf.float32)
        if self.factors.ndim == 2:
            scaled = residual * factors
        else:
            scaled = tf.einsum("bkd,kde->bke", residual, factors)
        joint = tf.constant(self._offsets) - 0.5 * tf.reduce_sum(scaled**2, axis=2)
        return tf.argmax(joint, axis=1, output_type=tf.int64), tf.nn.softmax(joint, axis=1)

    def reordered(self, order: Sequence[int]) -> GaussianPosterior:
        """See the base class. The weights of the components that are left sum to one again."""
        chosen = list(order)
        log_weights = self.log_weights[chosen].astype(np.float64)
        log_weights -= np.logaddexp.reduce(log_weights)
        return GaussianPosterior(
            self.means[chosen], self.factors[chosen], log_weights.astype(np.float32)
        )

    def settings(self) -> dict[str, Any]:
        """See the base class."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """See the base class."""
        return {"means": self.means, "factors": self.factors, "log_weights": self.log_weights}

    @classmethod
    def from_parts(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> GaussianPosterior:
        """See the base class."""
        del settings
        return cls(arrays["means"], arrays["factors"], arrays["log_weights"])
